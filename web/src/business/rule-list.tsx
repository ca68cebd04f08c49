import type { RuleVerdict } from '../../../src/http/api-types.ts';
import { Chip, type Tone } from '../ui/chip.tsx';
import { inWords } from '../ui/format.ts';

const VERDICTS: Record<RuleVerdict['verdict'], { label: string; tone: Tone }> = {
  pass: { label: 'Yes', tone: 'good' },
  warn: { label: 'Yes, but', tone: 'warn' },
  refuse: { label: 'No', tone: 'bad' },
  not_applicable: { label: 'Does not apply', tone: 'plain' },
};

/** Every rule the gate asked, what it said, and where the rule comes from. */
export function RuleList(props: { pack: string; rules: readonly RuleVerdict[] }) {
  return (
    <details>
      <summary className="text-sm font-semibold text-accent">
        All {props.rules.length} rules of {props.pack}
      </summary>
      <ul className="mt-2 flex flex-col gap-2">
        {props.rules.map((rule) => (
          <li key={`${rule.rule}/${rule.layer}`} className="border-l-2 border-edge pl-3 text-sm">
            <p className="flex flex-wrap items-center gap-2">
              <Chip tone={VERDICTS[rule.verdict].tone}>{VERDICTS[rule.verdict].label}</Chip>
              <span className="font-semibold">{inWords(rule.rule)}</span>
            </p>
            <p>{rule.message}</p>
            <p className="text-xs wrap-break-word text-muted">{rule.source}</p>
          </li>
        ))}
      </ul>
    </details>
  );
}
