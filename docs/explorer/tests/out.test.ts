import assert from "node:assert/strict";
import { test } from "node:test";
import { pythonCode } from "../src/out/python.ts";
import { pytorchCode } from "../src/out/pytorch.ts";
import { tomlCode } from "../src/out/toml.ts";
import { problemFields, solveOptions } from "../src/settings/fields.ts";
import { assertClose, HEAD, python, withoutPython } from "./python.ts";
import { core } from "./settings_core.ts";
import { EXAMPLES } from "./settings_problems.ts";

const skip = withoutPython();
const names = Object.keys(EXAMPLES);
const all = Object.values(EXAMPLES);

/** Test losses of the WebAssembly core. */
const mine = all.map((s) => {
  const result = core.run({ call: "solve", fields: problemFields(s), steps: s.steps, options: solveOptions(s) });
  return result.test_loss as Float64Array;
});

test("the Python code gives the losses of the core in the page", { skip }, () => {
  const found = python(
    `${HEAD}
import contextlib, io
out = []
for code in given:
    scope = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(code, scope)
    out.append(scope["theory"].test_loss)
show(out)`,
    all.map(pythonCode),
  ) as number[][];
  found.forEach((losses, i) => assertClose(losses, mine[i] ?? [], 1e-10, names[i]));
});

test("the command line reads the TOML file as the same problem", { skip }, () => {
  const found = python(
    `${HEAD}
import pathlib, shlex, tempfile, tomllib
from click.testing import CliRunner
from lindmft.cli.commands import commands
out = []
with tempfile.TemporaryDirectory() as folder:
    for k, text in enumerate(given):
        path = pathlib.Path(folder) / "problem.toml"
        path.write_text(text)
        words = shlex.split(text.splitlines()[0])[4:]
        said = CliRunner().invoke(commands, ["solve", str(path), *words])
        if said.exit_code != 0:
            raise SystemExit(said.output)
        options = {"grid": "adaptive", "rtol": 1e-5} if "adaptive" in words else {}
        problem = lm.Problem.from_toml(path)
        out.append(lm.solve(problem, tomllib.loads(text)["run"]["steps"], **options).test_loss)
show(out)`,
    all.map(tomlCode),
  ) as number[][];
  found.forEach((losses, i) => assertClose(losses, mine[i] ?? [], 1e-10, names[i]));
});

test("the PyTorch code compiles and has the constants of to_pytorch", { skip }, () => {
  const found = python(
    `${HEAD}
import ast, contextlib, io
out = []
for code, problem in given:
    tree = ast.parse(code)
    compile(code, "loop", "exec")
    constants = {}
    if tree.body and not isinstance(tree.body[0], ast.Expr) or not tree.body:
        out.append(None)
        continue
    scope = {"np": np}
    import math
    scope["math"] = math
    for node in tree.body:
        if isinstance(node, ast.Assign):
            exec(compile(ast.Module([node], []), "loop", "exec"), scope)
    made = {}
    with contextlib.redirect_stdout(io.StringIO()):
        exec(problem, made)
    loop = lm.to_pytorch(made["problem"], inputs=scope["INPUTS"]) if "population" not in problem.lower() else None
    differences = []
    if loop is not None:
        for name, value in [("LR", loop.lr), ("INIT_STD", loop.init_std), ("WEIGHT_DECAY", loop.weight_decay)]:
            differences.append(np.abs(np.subtract(scope[name], value)).max() / max(1e-300, np.max(np.abs(value))))
        differences.append(abs(scope.get("SAMPLES", 0) - (loop.samples or 0)))
        differences.append(abs(scope.get("BATCH", 0) - (loop.batch or 0)))
        if loop.schedule is not None:
            differences.append(np.abs(np.array(scope["SCHEDULE"]) / max(scope["SCHEDULE"]) - loop.schedule).max())
        if loop.input_std is not None:
            differences.append(np.abs(scope["INPUT_STD"] - loop.input_std).max())
            target = np.abs(np.ravel(loop.target))
            differences.append(np.abs(scope["TARGET"] - target).max())
    out.append(differences)
show(out)`,
    all.map((s) => [pytorchCode(s), pythonCode(s)]),
  ) as (number[] | null)[];
  const limits = ["infinitelyDeep", "lazy", "lazyNtk"];
  found.forEach((differences, i) => {
    assert.equal(differences === null, limits.includes(names[i] ?? ""), names[i]);
    (differences ?? []).forEach((d, k) => assert.ok(d < 1e-9, `${names[i]}, constant ${k}: differs by ${d}`));
  });
});
