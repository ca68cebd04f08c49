import type { WithResult } from '../api/experiment-hooks.ts';
import { inWords } from '../ui/format.ts';
import { intervalWords, percent, VERDICT_WORDS } from './interval-words.ts';

/** The arms beside each other: what they change, how many people, what came of it. */
export function ArmTable(props: { experiment: WithResult }) {
  const { arms, result, winner } = props.experiment;
  return (
    <div className="overflow-x-auto" tabIndex={0} role="region" aria-label="Arms">
      <table className="w-full min-w-140 text-left text-sm">
        <thead className="text-xs text-muted">
          <tr>
            {['Arm', 'Changes', 'People', 'Reached', 'Against the control', 'Said stop'].map(
              (head) => (
                <th key={head} scope="col" className="py-1 pr-3 font-semibold">
                  {head}
                </th>
              ),
            )}
          </tr>
        </thead>
        <tbody>
          {arms.map(({ name, overrides, stoppedAt }) => {
            const found = result.arms.find(({ arm }) => arm === name);
            const verdict = found?.verdict ?? 'too_early';
            return (
              <tr key={name} className="border-t border-edge align-top">
                <th scope="row" className="py-1.5 pr-3 font-semibold">
                  {name}
                  {winner === name && ' (winner)'}
                  {stoppedAt !== null && ' (stopped)'}
                </th>
                <td className="py-1.5 pr-3">{changesOf(overrides)}</td>
                <td className="py-1.5 pr-3 tabular-nums">{found?.counted ?? 0}</td>
                <td className="py-1.5 pr-3 tabular-nums">{percent(found?.rate ?? null)}</td>
                <td className="py-1.5 pr-3">
                  <span className="font-semibold">{VERDICT_WORDS[verdict]}</span>
                  {found !== undefined && found.low !== null && (
                    <span className="block tabular-nums">{intervalWords(found)}</span>
                  )}
                </td>
                <td className="py-1.5 pr-3 tabular-nums">{found?.optedOut ?? 0}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function changesOf(overrides: Readonly<Record<string, unknown>>): string {
  const changed = Object.entries(overrides).map(
    ([field, value]) => `${inWords(field)}: ${String(value)}`,
  );
  return changed.length === 0 ? 'nothing' : changed.join(' · ');
}
