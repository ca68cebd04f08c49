import type { FindingView } from '../api/template-hooks.ts';
import { Chip, type Tone } from '../ui/chip.tsx';

const SEVERITIES: Record<FindingView['severity'], { label: string; tone: Tone }> = {
  error: { label: 'Rejected', tone: 'bad' },
  warning: { label: 'Costs consents', tone: 'warn' },
  hint: { label: 'Good to know', tone: 'plain' },
};

/** What Meta or a customer would find wrong, and what to change. */
export function FindingList(props: { findings: readonly FindingView[] }) {
  return (
    <ul className="flex flex-col gap-2">
      {props.findings.map((finding) => (
        <li key={finding.rule + finding.where} className="border-l-2 border-edge pl-3 text-sm">
          <p className="flex flex-wrap items-center gap-2">
            <Chip tone={SEVERITIES[finding.severity].tone}>
              {SEVERITIES[finding.severity].label}
            </Chip>
            <code className="font-mono text-xs">{finding.where}</code>
          </p>
          <p>
            {finding.message} <strong>{finding.fix}</strong>
          </p>
          <p className="text-xs text-muted">{finding.source}</p>
        </li>
      ))}
    </ul>
  );
}
