import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import type { ReportView } from '../../../src/rulebook/rulebook-views.ts';
import {
  useLinePolicy,
  usePackDiff,
  useSwitchPack,
  useSwitchReport,
  type PackView,
} from '../api/rules-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { OwnLimitsForm } from './own-limits-form.tsx';

/** The pack of one line, and the way to another: first the report, then the switch. */
export function LinePackCard(props: { line: LineView; packs: readonly PackView[] }) {
  const { line, packs } = props;
  const [wanted, setWanted] = useState(line.policyPack);
  const look = useSwitchReport();
  const change = useSwitchPack();
  const report = look.data?.after.policyPack === wanted ? look.data : undefined;
  const isOther = wanted !== line.policyPack;
  return (
    <Card title={line.name} aside={<Chip tone="accent">{line.policyPack}</Chip>}>
      <div className="flex flex-wrap items-end gap-2">
        <SelectField
          label="Policy pack"
          value={wanted}
          options={packs.map(({ name, title }) => [name, `${name}: ${title}`] as const)}
          onChange={setWanted}
        />
        <Button
          disabled={!isOther || look.isPending}
          onClick={() => look.mutate({ lineId: line.id, policyPack: wanted })}
        >
          {look.isPending ? 'Reading every contact…' : 'What would change?'}
        </Button>
      </div>
      {isOther && <Differences from={line.policyPack} to={wanted} />}
      <div className="mt-3" aria-live="polite">
        {look.error !== null && <ProblemNote error={look.error} />}
        {change.error !== null && <ProblemNote error={change.error} />}
        {isOther && report !== undefined && (
          <>
            <Report report={report} />
            <Button
              look="danger"
              className="mt-3"
              disabled={change.isPending}
              onClick={() =>
                change.mutate({ lineId: line.id, policyPack: wanted, reportId: report.id })
              }
            >
              Switch to {wanted}
            </Button>
          </>
        )}
      </div>
      <LineLimits lineId={line.id} />
    </Card>
  );
}

function LineLimits(props: { lineId: string }) {
  const [isOpen, setOpen] = useState(false);
  const policy = useLinePolicy(props.lineId);
  return (
    <details
      className="mt-3 border-t border-edge pt-2"
      onToggle={(event) => setOpen(event.currentTarget.open)}
    >
      <summary className="min-h-9 py-1.5 text-sm font-semibold">Own limits of this line</summary>
      {policy.error !== null && <ProblemNote error={policy.error} />}
      {isOpen && policy.data !== undefined && (
        <OwnLimitsForm path={`/v1/lines/${props.lineId}/policy`} own={policy.data} />
      )}
    </details>
  );
}

/** The rules themselves; whom they would hit is what the report says. */
function Differences(props: { from: string; to: string }) {
  const { from, to } = props;
  const diff = usePackDiff(from, to);
  const items = diff.data?.differences ?? [];
  if (diff.error !== null) return <ProblemNote error={diff.error} />;
  if (diff.data === undefined) return <p className="mt-3 text-sm text-muted">Loading…</p>;
  if (items.length === 0) return <p className="mt-3 text-sm">Both say the same.</p>;
  return (
    <details className="mt-3 text-sm" open>
      <summary className="min-h-9 py-1.5 font-semibold">
        What differs ({items.length} {items.length === 1 ? 'value' : 'values'})
      </summary>
      <div className="max-h-96 overflow-auto" tabIndex={0} role="region" aria-label="Differences">
        <table className="w-full min-w-110 text-left text-xs">
          <thead className="text-muted">
            <tr>
              {['Value', from, to].map((head) => (
                <th key={head} scope="col" className="py-1 pr-3 font-semibold">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {items.map(({ path, from: before, to: after }) => (
              <tr key={path} className="border-t border-edge align-top">
                <th scope="row" className="py-1.5 pr-3 font-semibold break-all">
                  {path}
                </th>
                <td className="py-1.5 pr-3 font-mono break-all">{valueText(before)}</td>
                <td className="py-1.5 pr-3 font-mono break-all">{valueText(after)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

function valueText(value: unknown): string {
  if (value === undefined || value === null) return '—';
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function Report(props: { report: ReportView }) {
  const { permissions, calls, contacts, contactsChecked } = props.report;
  const lines: Array<[count: number, words: string]> = [
    [permissions.earlier, 'live permissions would end earlier'],
    [permissions.endAtOnce, 'of them at once'],
    [calls.refused, 'queued calls would be refused'],
    [contacts.barred, 'people could not be asked any more'],
    [contacts.delayed, 'people could be asked only later'],
    [contacts.freed, 'people could be asked who cannot be now'],
  ];
  const rules = { ...calls.byRule, ...contacts.byRule };
  return (
    <>
      <p className="text-sm">{contactsChecked} people looked at:</p>
      <ul className="mt-1 list-disc pl-5 text-sm">
        {lines.map(([count, words]) => (
          <li key={words} className={count === 0 ? 'text-muted' : ''}>
            <strong className="tabular-nums">{count}</strong> {words}
          </li>
        ))}
      </ul>
      {Object.keys(rules).length > 0 && (
        <p className="mt-1 text-xs text-muted">
          By rule:{' '}
          {Object.entries(rules)
            .map(([rule, n]) => `${inWords(rule)} ${n}`)
            .join(', ')}
        </p>
      )}
    </>
  );
}
