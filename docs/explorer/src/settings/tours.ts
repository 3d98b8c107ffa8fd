import { PRESETS } from "./presets.ts";
import type { Settings } from "./settings.ts";
import { DEFAULTS } from "./settings.ts";

/** Names of the views, as in `View.id`. */
export type ViewName = "losses" | "rates" | "variance" | "two_time" | "curvature";

/** One step of a tour: what to read, the settings to show, and the view to look at. */
export interface TourStep {
  text: string;
  settings: Settings;
  view: ViewName;
}

export interface Tour {
  id: string;
  title: string;
  steps: TourStep[];
}

const WIDER: Settings = PRESETS.wider.settings;
const TRANSFER: Settings = PRESETS.transfer.settings;
const FEW: Settings = PRESETS.overfitting.settings;
const POWER_LAW: Settings = {
  ...DEFAULTS,
  noise: 0,
  data: "population",
  lr: 0.1,
  steps: 200,
  spectrum: { kind: "power_law", decay: 1.5, source: 0, modes: 64 },
};

/** Return the guided tours. Every number in their texts is checked by a test that runs the core. */
export function tours(): Tour[] {
  return [widerIsBetter(), whichRatesTransfer(), whatDataDo()];
}

function widerIsBetter(): Tour {
  const at = (width: number, view: ViewName, text: string): TourStep => ({
    text,
    settings: { ...WIDER, width },
    view,
  });
  return {
    id: "wider",
    title: "Why is wider better?",
    steps: [
      at(
        0.25,
        "losses",
        "This network has four hidden layers and a quarter as many hidden units as inputs. Its test loss, the error on " +
          "new samples, starts at 2 and is still above 0.2 after 100 steps.",
      ),
      at(
        1,
        "losses",
        "Now each layer has as many hidden units as there are inputs. Nothing else has changed, also not the learning " +
          "rate, and the test loss at the end is more than 50 times smaller. The thin line is the narrow network.",
      ),
      at(
        4,
        "losses",
        "Four times as many hidden units again: the loss at the end is once more at least 30 times smaller. In muP, the " +
          "parameterization used here, wider networks learn faster at the same learning rate.",
      ),
      at(
        0.25,
        "variance",
        "Back to the narrow network. About half of its loss at the end is variance of the initial weights: networks " +
          "that start from other random weights make other errors, and the mean of their predictions has a smaller one.",
      ),
      at(
        Infinity,
        "variance",
        "In the limit of infinite width, all random initial weights lead to the same predictions, and this variance is " +
          "zero. What remains is almost only due to the finite number of samples.",
      ),
    ],
  };
}

function whichRatesTransfer(): Tour {
  return {
    id: "transfer",
    title: "Which learning rates transfer?",
    steps: [
      {
        text:
          "Each line is the test loss after 60 steps for one width, against the learning rate. In muP the best rates of " +
          "all networks that are at least as wide as their inputs are the same to within a factor of 1.5.",
        settings: TRANSFER,
        view: "rates",
      },
      {
        text:
          "The same network of width 1, but now the other widths follow the NTK parameterization. The best rate of the " +
          "widest network is more than ten times that of the narrowest one: a rate that was found on one of them is " +
          "wrong for the other.",
        settings: { ...TRANSFER, parameterization: "ntk" },
        view: "rates",
      },
      {
        text:
          "This is PyTorch's default: the initialization of nn.Linear, and one learning rate for all layers. The best " +
          "rate falls with the width, by more than a factor of 3 from width 1/4 to width 64.",
        settings: { ...TRANSFER, parameterization: "pytorch", lr: 0.3 },
        view: "rates",
      },
      {
        text:
          "Back to muP, at width 4. At the rate that is best for width 1, wider networks reach a smaller loss than the " +
          "network of width 1 itself. So one can find the rate on a small network and use it for a wide one.",
        settings: { ...TRANSFER, width: 4 },
        view: "rates",
      },
      {
        text:
          "What if the rate is too large? Here it is ten times that of the start of this tour, and the loss grows until " +
          "the run ends as diverged, within the first 20 steps. No width of these networks makes this rate stable.",
        settings: { ...TRANSFER, lr: 0.3 },
        view: "losses",
      },
    ],
  };
}

function whatDataDo(): Tour {
  return {
    id: "data",
    title: "What do data do?",
    steps: [
      {
        text:
          "Three samples for every four inputs, with noisy labels. The training loss falls to almost zero, but the test " +
          "loss is smallest near step 15. After that the network learns the noise, and the test loss rises by more than " +
          "a third: it overfits.",
        settings: FEW,
        view: "losses",
      },
      {
        text:
          "The loss at the end by its causes. About two thirds of it are variance of the data: with other samples and " +
          "other noise, the network would have learned something else.",
        settings: FEW,
        view: "variance",
      },
      {
        text:
          "Four samples for each input, with the same noise: the test loss at the end is more than ten times smaller, " +
          "and it hardly rises after its minimum.",
        settings: { ...FEW, alpha: 4 },
        view: "losses",
      },
      {
        text:
          "Fresh samples in every step, as many as there were in the first step of this tour: one pass. No noise can be " +
          "learned by heart, and the test loss falls until the end, to less than a tenth of that with repeated samples.",
        settings: { ...FEW, data: "one_pass" },
        view: "losses",
      },
      {
        text:
          "Real inputs vary much in a few directions and little in most. Here the variances fall like a power law, and " +
          "there are infinitely many samples. Strong directions are learned first and weak ones late: after 100 steps " +
          "the loss is still above 0.05. With equal variances it would be below one millionth.",
        settings: POWER_LAW,
        view: "losses",
      },
    ],
  };
}
