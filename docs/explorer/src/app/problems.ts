import type { Panel } from "../controls/panel.ts";
import type { Answer } from "../core/types.ts";
import { controlOf, problemsOf } from "../settings/checks.ts";
import type { Settings } from "../settings/settings.ts";

/** Says what is wrong with the settings beside the control that caused it, and elsewhere if there is none. */
export class Problems {
  private checked: Settings | null = null;
  private faults: ReturnType<typeof problemsOf> = [];

  constructor(
    private readonly panel: Panel,
    private readonly notice: (text: string) => void,
  ) {}

  /** Check settings before the core is asked; return whether it may be asked. */
  allow(settings: Settings): boolean {
    if (this.checked !== settings) {
      this.checked = settings;
      this.faults = problemsOf(settings);
      this.say(this.faults);
    }
    return this.faults.length === 0;
  }

  /** Show what the core says of the settings. */
  answered(answers: readonly Answer[]): void {
    if (this.faults.length > 0) return;
    const errors = answers.flatMap((answer) => ("error" in answer ? [answer.error] : []));
    this.say(errors.slice(0, 1).map((message) => ({ control: controlOf(message) ?? "", message })));
  }

  private say(problems: readonly { control: string; message: string }[]): void {
    this.notice(this.panel.complain(problems).join(" "));
  }
}
