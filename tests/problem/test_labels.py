"""Labels and inputs in the forms that users have, and those that are refused by name."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

import lindmft as lm

RNG = np.random.default_rng(0)
X = RNG.standard_normal((60, 3))
VALUES = X @ [1.0, -2.0, 0.5] + 0.3 * RNG.standard_normal(60)
KIND = np.digitize(VALUES, [-0.7, 0.7])
NAMES = np.array(["low", "middle", "high"])[KIND]


def same(found: lm.FittedData, expected: lm.FittedData) -> None:
    assert found.eigenvalues == pytest.approx(expected.eigenvalues, rel=1e-10)
    assert found.target_power == pytest.approx(expected.target_power, rel=1e-10)
    assert found.noise == pytest.approx(expected.noise, rel=1e-10)
    assert found.outputs == expected.outputs


FORMS: dict[str, Any] = {
    "column": VALUES[:, None],
    "list": VALUES.tolist(),
    "Series": pd.Series(VALUES, index=range(100, 160)),
    "DataFrame": pd.DataFrame({"yield": VALUES}),
    "nullable": pd.Series(VALUES, dtype="Float64"),
}


@pytest.mark.parametrize("name", FORMS)
def test_forms_of_one_output_are_the_same(name: str) -> None:
    same(lm.from_data(X, FORMS[name]), lm.from_data(X, VALUES))


INPUTS: dict[str, Any] = {
    "float32": X.astype(np.float32).astype(float),
    "Fortran": np.asfortranarray(X),
    "DataFrame": pd.DataFrame(X, columns=["a", "b", "c"]),
    "nullable": pd.DataFrame(X, columns=["a", "b", "c"]).astype("Float64"),
    "sparse": sp.csc_matrix(X),
    "sparse array": sp.coo_array(X),
    "sparse columns": pd.DataFrame.sparse.from_spmatrix(sp.csr_matrix(X)),
}


@pytest.mark.parametrize("center", [False, True])
@pytest.mark.parametrize("name", INPUTS)
def test_forms_of_inputs_are_the_same(name: str, center: bool) -> None:
    plain = np.asarray(X, np.float32).astype(float) if name == "float32" else X
    same(
        lm.from_data(INPUTS[name], VALUES, center=center),
        lm.from_data(plain, VALUES, center=center),
    )


def test_short_types_are_read_as_they_are() -> None:
    pixels = RNG.integers(0, 255, (500, 4), dtype=np.uint8)
    labels = pixels[:, 0] - 1.0 * pixels[:, 1]
    same(
        lm.from_data(pixels, labels, center=True),
        lm.from_data(pixels.astype(float), labels, center=True),
    )


def test_truth_values_of_data_frames_are_numbers() -> None:
    dummies = pd.get_dummies(pd.Series(NAMES))
    same(
        lm.from_data(dummies, VALUES, center=True),
        lm.from_data(dummies.to_numpy(float), VALUES, center=True),
    )


def test_columns_that_are_constant_have_no_direction() -> None:
    wide = np.column_stack([X, np.zeros(60), np.full(60, 1e6 + 0.1)])
    found = lm.from_data(wide, VALUES, center=True)
    assert (found.inputs, found.rank) == (5, 3)
    same(found, lm.from_data(X, VALUES, center=True))
    with pytest.raises(ValueError, match=r"^X must be different from zero: no column varies"):
        lm.from_data(np.full((5, 2), 7.0), np.arange(5.0), center=True)


CLASSES: dict[str, Any] = {
    "texts": NAMES,
    "objects": NAMES.astype(object),
    "categories": pd.Series(pd.Categorical(NAMES)),
    "strings": pd.Series(NAMES, dtype="string"),
    "DataFrame": pd.DataFrame({"kind": NAMES}),
}


@pytest.mark.parametrize("classes", [True, "auto"])
@pytest.mark.parametrize("name", CLASSES)
def test_classes_become_one_hot_labels_without_their_mean(name: str, classes: Any) -> None:
    found = lm.from_data(X, CLASSES[name], classes=classes)
    assert found.classes == ("high", "low", "middle")
    assert found.centered
    one_hot = (NAMES[:, None] == np.array(found.classes)).astype(float)
    assert found.label_mean == pytest.approx(one_hot.mean(axis=0))
    plain = lm.from_data(X - X.mean(axis=0), one_hot - one_hot.mean(axis=0), center=True)
    same(found, plain)
    assert np.allclose(found.spectrum.targets, plain.spectrum.targets)
    assert np.allclose(found.noise_covariance, plain.noise_covariance)
    # Each row of one-hot labels has the sum 1, so targets and noise have the sum 0.
    assert np.abs(np.sum(found.spectrum.targets, axis=1)).max() < 1e-12
    assert np.abs(np.sum(found.noise_covariance, axis=1)).max() < 1e-12


def test_one_hot_labels_are_recognized() -> None:
    one_hot = np.eye(3)[KIND]
    assert lm.from_data(X, one_hot).centered
    assert not lm.from_data(X - X.mean(axis=0), one_hot * 2).centered
    frame = pd.get_dummies(pd.Series(NAMES))
    assert lm.from_data(X, frame, classes=True).classes == ("high", "low", "middle")
    assert lm.from_data(X, one_hot, classes=["low", "middle", "high"]).classes[0] == "low"


def test_the_order_of_classes_can_be_given() -> None:
    found = lm.from_data(X, NAMES, classes=["low", "middle", "high"])
    fractions = [float(np.mean(k == KIND)) for k in range(3)]
    assert found.label_mean == pytest.approx(fractions)
    assert found.classes == ("low", "middle", "high")


@pytest.mark.parametrize("labels", [VALUES > 0, (VALUES > 0).astype(int), pd.Series(VALUES > 0)])
def test_two_classes_are_one_output(labels: Any) -> None:
    found = lm.from_data(X, labels, classes=True)
    same(found, lm.from_data(X, np.where(VALUES > 0, 1.0, -1.0), center=True))
    assert found.outputs == 1
    assert found.noise_covariance is None
    assert len(found.classes) == 2


def test_whole_numbers_are_values_unless_classes_are_asked_for() -> None:
    assert lm.from_data(X, KIND).classes == ()
    assert lm.from_data(X, KIND, classes=False).outputs == 1
    assert lm.from_data(X, KIND, classes="auto").classes == (0, 1, 2)
    assert lm.from_data(X, np.arange(60), classes="auto").classes == ()
    assert lm.from_data(X, VALUES, classes="auto").classes == ()


def test_samples_are_prepared_as_they_were_fitted() -> None:
    data = lm.from_data(X, NAMES, classes=True)
    inputs, labels = data.prepare(sp.csr_matrix(X), pd.Series(NAMES))
    assert inputs == pytest.approx(X - X.mean(axis=0))
    assert labels == pytest.approx((NAMES[:, None] == np.array(data.classes)) - data.label_mean)
    plain = lm.from_data(X, VALUES)
    assert plain.prepare(X[:5], VALUES[:5])[1] == pytest.approx(VALUES[:5])
    with pytest.raises(ValueError, match="^X must be a matrix with 3 columns, got '2 columns'"):
        data.prepare(X[:, :2], NAMES)
    with pytest.raises(ValueError, match="^y must be labels from classes"):
        data.prepare(X[:2], ["low", "unknown"])
    with pytest.raises(ValueError, match="^y must be labels of 1 outputs"):
        plain.prepare(X, X)


MISSING = pd.DataFrame(X, columns=["age", "size", "cost"]).astype("Float64")
MISSING.loc[17, "size"] = pd.NA
TEXTS = pd.DataFrame({"age": X[:, 0], "city": NAMES})

REFUSED: list[tuple[Any, Any, dict[str, Any], str]] = [
    (MISSING, VALUES, {}, "X['size'] must be without missing values, got one in row 17"),
    (MISSING.astype(float), VALUES, {}, "X['size'] must be without missing values"),
    (TEXTS, VALUES, {}, "X['city'] must be a column of numbers, got 'type "),
    (X, pd.Series(VALUES).where(KIND > 0), {}, "y must be without missing values, got one in row"),
    (X, pd.Series(NAMES).where(KIND > 0), {"classes": True}, "y must be without missing values"),
    (X, [None, *NAMES[1:]], {"classes": True}, "y must be without missing values"),
    (X, NAMES, {}, "for names of classes give classes=True"),
    (X, KIND > 0, {}, "for names of classes give classes=True"),
    (X, VALUES, {"classes": True}, "60 different values in 60 samples: leave out classes"),
    (X, ["a"] * 60, {"classes": True}, "y must be labels of at least two classes"),
    (X, NAMES, {"classes": ["low", "high"]}, "y must be labels from classes ('low', 'high'), got"),
    (X, NAMES, {"classes": ["low", "low"]}, "classes must be None, True, False, 'auto' or a list"),
    (X, NAMES, {"classes": "names"}, "classes must be None, True, False, 'auto' or a list"),
    (
        X,
        X,
        {"classes": True},
        "y must be a list with the name of one class for each sample, or one-",
    ),
    (X, [["a"], {}] * 30, {"classes": ["a", "b"]}, "y must be"),
    (X, np.zeros((60, 0)), {}, "y must be a list of numbers, or a matrix"),
    (X, np.zeros((60, 1, 1)), {}, "y must be a list of numbers, or a matrix"),
    (X, VALUES, {"estimator": "lasso"}, "estimator must be 'least_squares', 'ridge', 'population'"),
    (X, VALUES, {"center": "yes"}, "center must be true or false"),
    (X[:5], VALUES[:5], {"estimator": "held_out"}, "X must be at least 10 samples"),
    (sp.csr_matrix(X * (1 + 1j)), VALUES, {}, "X must be a matrix of numbers"),
]


@pytest.mark.parametrize(("inputs", "labels", "more", "message"), REFUSED)
def test_what_cannot_be_read_is_refused_by_name(
    inputs: Any, labels: Any, more: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="must be") as error:
        lm.from_data(inputs, labels, **more)
    assert message in str(error.value)
