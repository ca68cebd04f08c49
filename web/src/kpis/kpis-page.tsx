import { useState } from 'react';
import { systemClock } from '../../../src/platform/clock.ts';
import { useLines } from '../api/business-hooks.ts';
import { useKpis, type KpiAsk, type Part } from '../api/kpi-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Card } from '../ui/card.tsx';
import { inWords } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';
import { BrakeSettingsCard } from './brake-settings-card.tsx';
import { BrakesCard } from './brakes-card.tsx';
import { FigureTiles } from './figure-tiles.tsx';
import { GroupsCard } from './groups-card.tsx';
import { ItemsCard } from './items-card.tsx';
import type { MetricView } from './kpi-words.ts';
import { MoreFigures } from './more-figures.tsx';
import { RebuildCard } from './rebuild-card.tsx';
import { TrendCard } from './trend-card.tsx';

const HOUR_MS = 3_600_000;
const SPANS = [
  ['24', 'the last 24 hours'],
  ['168', 'the last 7 days'],
  ['720', 'the last 30 days'],
  ['2160', 'the last 90 days'],
] as const;
const GROUPS = [
  'line',
  'template',
  'template_version',
  'purpose',
  'journey',
  'campaign',
  'experiment',
  'arm',
  'endpoint',
  'agent',
  'country',
  'hour',
] as const;
type Group = (typeof GROUPS)[number];

export type Filters = Partial<Record<Group, { value: string; label: string }>>;
/** The number that somebody wants to see the calls of. */
export type Drilled = { metric: MetricView['name']; part: Part };

/** How asking and calling goes: figures with their targets, taken apart, down to single calls. */
export function KpisPage() {
  const [hours, setHours] = useState<string>('720');
  const [groupBy, setGroupBy] = useState<Group>('line');
  const [filters, setFilters] = useState<Filters>({});
  const [metric, setMetric] = useState<MetricView['name']>('grant_rate');
  const [drilled, setDrilled] = useState<Drilled | null>(null);
  const ask = askOf(hours, filters);
  const kpis = useKpis({ ...ask, groupBy });
  const { data } = kpis;
  const chosen = data?.metrics.find(({ name }) => name === metric);
  const only = (value: string, label: string): void => {
    setFilters({ ...filters, [groupBy]: { value, label } });
    setDrilled(null);
  };
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 gap-4 px-4 pb-10 xl:grid-cols-2">
      <h1 className="sr-only">Figures</h1>
      <Card
        title="How asking and calling goes"
        className="xl:col-span-2"
        aside={<CopyCurl what="these figures" method="GET" path={pathOf({ ...ask, groupBy })} />}
      >
        <div className="mb-3 grid gap-3 sm:grid-cols-3">
          <SelectField label="Time" value={hours} options={SPANS} onChange={setHours} />
          <LineFilter filters={filters} onChange={setFilters} />
          <SelectField
            label="Take apart by"
            value={groupBy}
            options={GROUPS.map((name) => [name, inWords(name)] as const)}
            onChange={setGroupBy}
          />
        </div>
        <FilterChips filters={filters} onChange={setFilters} />
        {kpis.error !== null && <ProblemNote error={kpis.error} />}
        {data === undefined && kpis.error === null && <p className="text-muted">Loading…</p>}
        {data !== undefined && data.counts.requests + data.counts.calls === 0 && (
          <p className="mb-3 rounded-xl bg-sunk p-3 text-sm">
            Nothing was asked or called in this time. Figures come by themselves, a second or so
            after something happens.
          </p>
        )}
        {data !== undefined && (
          <FigureTiles
            data={data}
            metric={metric}
            onPick={(name) => setMetric(name)}
            onDrill={setDrilled}
          />
        )}
      </Card>
      {data !== undefined && chosen !== undefined && (
        <>
          <TrendCard data={data} metric={chosen} />
          <GroupsCard data={data} metric={chosen} by={inWords(groupBy)} onOnly={only} />
          {drilled !== null && (
            <ItemsCard
              key={`${drilled.metric} ${drilled.part} ${JSON.stringify(ask)}`}
              drilled={drilled}
              ask={ask}
              metrics={data.metrics}
              onClose={() => setDrilled(null)}
            />
          )}
          <MoreFigures data={data} metric={metric} onPick={setMetric} onDrill={setDrilled} />
        </>
      )}
      <div className="grid grid-cols-1 content-start gap-4">
        <BrakesCard />
        <BrakeSettingsCard />
        <RebuildCard />
      </div>
    </main>
  );
}

function LineFilter(props: { filters: Filters; onChange: (filters: Filters) => void }) {
  const lines = useLines().data?.items ?? [];
  const change = (id: string): void => {
    const { line: _, ...others } = props.filters;
    const line = lines.find((one) => one.id === id);
    const named = line === undefined ? {} : { line: { value: line.id, label: line.name } };
    props.onChange({ ...others, ...named });
  };
  return (
    <SelectField
      label="Line"
      value={props.filters.line?.value ?? ''}
      options={[['', 'all lines'], ...lines.map(({ id, name }) => [id, name] as const)]}
      onChange={change}
    />
  );
}

function FilterChips(props: { filters: Filters; onChange: (filters: Filters) => void }) {
  const set = Object.entries(props.filters);
  if (set.length === 0) return null;
  const without = (name: string): Filters =>
    Object.fromEntries(set.filter(([other]) => other !== name));
  return (
    <ul aria-label="Only" className="mb-3 flex flex-wrap gap-2">
      {set.map(([name, { label }]) => (
        <li key={name}>
          <button
            type="button"
            onClick={() => props.onChange(without(name))}
            className="inline-flex min-h-9 max-w-full items-center gap-2 rounded-full bg-accent-soft
              px-3 text-sm font-semibold break-all text-accent"
          >
            {inWords(name)}: {label}
            <span aria-hidden>×</span>
            <span className="sr-only">, take this filter away</span>
          </button>
        </li>
      ))}
    </ul>
  );
}

/** From a whole hour on, so that the question stays the same for an hour. */
function askOf(hours: string, filters: Filters): KpiAsk {
  const from = Math.floor(systemClock.now() / HOUR_MS) * HOUR_MS - (Number(hours) - 1) * HOUR_MS;
  const only = Object.entries(filters).map(([name, { value }]) => [name, value]);
  return { from: new Date(from).toISOString(), ...Object.fromEntries(only) };
}

function pathOf(ask: KpiAsk): string {
  const given = Object.entries(ask).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, value]],
  );
  return `/v1/kpis?${new URLSearchParams(given).toString()}`;
}
