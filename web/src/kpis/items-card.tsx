import type { KpiItemView } from '../../../src/kpis/kpi-schemas.ts';
import { useKpiItems, type KpiAsk } from '../api/kpi-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { dayAndTime, inWords } from '../ui/format.ts';
import { PageButtons, usePages } from '../ui/page-buttons.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { valueText, type MetricView } from './kpi-words.ts';
import type { Drilled } from './kpis-page.tsx';

/** The requests or calls that a number counts, latest first. */
export function ItemsCard(props: {
  drilled: Drilled;
  ask: KpiAsk;
  metrics: readonly MetricView[];
  onClose: () => void;
}) {
  const { metric: name, part } = props.drilled;
  const pages = usePages();
  const items = useKpiItems(name, { ...props.ask, part }, pages.after ?? null);
  const metric = props.metrics.find((one) => one.name === name);
  const next = items.data?.next ?? null;
  const given = Object.entries({ ...props.ask, part }).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  );
  return (
    <Card
      title={`${metric?.title ?? name}: ${part === 'numerator' ? 'counted' : 'out of which'}`}
      className="xl:col-span-2"
      aside={
        <div className="flex gap-2">
          <CopyCurl
            what="this list"
            method="GET"
            path={`/v1/kpis/${name}/items?${new URLSearchParams(given).toString()}`}
          />
          <Button onClick={props.onClose}>Close</Button>
        </div>
      }
    >
      <p className="mb-2 text-xs text-muted">
        Counted: <code className="font-mono">{metric?.[part]}</code>
      </p>
      {items.error !== null && <ProblemNote error={items.error} />}
      {items.data?.items.length === 0 && (
        <p className="text-sm text-muted">Nothing counts here in this time.</p>
      )}
      {(items.data?.items.length ?? 0) > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full text-left text-sm">
            <thead className="text-xs text-muted">
              <tr>
                <th className="py-1 pr-3">When</th>
                <th className="py-1 pr-3">What</th>
                <th className="py-1 pr-3 text-right">Adds</th>
                <th className="py-1">Of</th>
              </tr>
            </thead>
            <tbody>
              {items.data?.items.map((item) => (
                <tr key={item.id} className="border-t border-edge align-top">
                  <td className="py-1.5 pr-3 whitespace-nowrap">{dayAndTime(item.at)}</td>
                  <td className="py-1.5 pr-3">
                    {inWords(item.kind)}{' '}
                    <code className="font-mono text-xs break-all">{item.id}</code>
                    <br />
                    <code className="font-mono text-xs break-all text-muted">{item.contactId}</code>
                  </td>
                  <td className="py-1.5 pr-3 text-right tabular-nums">
                    {adds(metric, part, item)}
                  </td>
                  <td className="py-1.5 text-xs break-words text-muted">{dimensionText(item)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <PageButtons pages={pages} next={next} back="Later" on="Earlier" />
    </Card>
  );
}

function adds(metric: MetricView | undefined, part: Drilled['part'], item: KpiItemView): string {
  const isTime = metric?.unit === 'ms' && part === 'numerator';
  return isTime ? valueText('ms', item.amount) : String(item.amount);
}

const SHOWN = ['template_version', 'journey', 'campaign', 'arm', 'agent', 'country'] as const;

function dimensionText({ dimensions }: KpiItemView): string {
  return SHOWN.flatMap((name) =>
    dimensions[name] === '' ? [] : [`${inWords(name).toLowerCase()} ${dimensions[name]}`],
  ).join(', ');
}
