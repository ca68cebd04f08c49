import { inWords } from '../ui/format.ts';

/** The call detail record, field by field, as the API and the exports give it. */
export function CdrTable(props: { cdr: Record<string, unknown> }) {
  return (
    <details className="border-t border-edge pt-2">
      <summary className="text-sm font-semibold text-accent">Call detail record</summary>
      <dl className="mt-2 grid grid-cols-[minmax(8rem,auto)_1fr] gap-x-4 gap-y-1 text-sm">
        {Object.entries(props.cdr).map(([field, value]) => (
          <div key={field} className="contents">
            <dt className="text-muted">{inWords(field)}</dt>
            <dd className="min-w-0 font-mono text-xs leading-6 break-all">{fieldText(value)}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}

function fieldText(value: unknown): string {
  if (value === null || value === undefined) return '–';
  return typeof value === 'string' ? value : JSON.stringify(value);
}
