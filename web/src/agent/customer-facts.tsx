import { dayAndTime, inWords } from '../ui/format.ts';
import type { AgentCall } from './call-path.ts';

/** Who it is, what the call is for, and what they said yes to and until when. */
export function CustomerFacts({ call }: { call: AgentCall }) {
  const { customer, asked } = call;
  const facts: Array<readonly [string, string | null]> = [
    ['Customer', customer === null ? 'Not shown to agents' : nameOf(customer)],
    ['About', call.purpose],
    ['Reference', call.reference],
    ['Language', call.language],
    ['Country', call.country],
    ['Asked them', asked === null ? null : dayAndTime(asked.at)],
    ['Promised for', typeof asked?.promisedAt === 'string' ? dayAndTime(asked.promisedAt) : null],
    ['Their yes is good', asked === null ? null : untilWords(asked.expiresAt)],
  ];
  return (
    <>
      <dl className="grid grid-cols-[auto_minmax(0,1fr)] gap-x-4 gap-y-1 text-sm">
        {facts.map(([name, value]) =>
          value === null ? null : (
            <div key={name} className="contents">
              <dt className="text-muted">{name}</dt>
              <dd dir="auto" className="font-semibold break-words">
                {value}
              </dd>
            </div>
          ),
        )}
      </dl>
      {typeof asked?.text === 'string' && (
        <blockquote dir="auto" className="rounded-xl bg-sunk p-3 text-sm">
          <p className="text-xs text-muted">What they read and said yes to</p>
          <p>{asked.text}</p>
        </blockquote>
      )}
    </>
  );
}

function nameOf({ name, number }: { name: string | null; number: string | null }): string {
  return [name, number].filter((part) => part !== null).join(', ') || inWords('unknown');
}

function untilWords(expiresAt: string | null): string {
  return expiresAt === null ? 'until they say no' : `until ${dayAndTime(expiresAt)}, for this call`;
}
