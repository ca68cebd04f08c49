import type { PackView } from '../api/rules-hooks.ts';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { inWords } from '../ui/format.ts';

/** Every pack and law that comes with the product: its values, its sentences, its date. */
export function PacksCard(props: { packs: readonly PackView[] }) {
  return (
    <Card title="Packs and laws" className="xl:col-span-2">
      <p className="text-sm text-muted">
        Dated readings of published rules, not legal advice. The strictest of all that apply wins.
      </p>
      <ul className="mt-3 flex flex-col gap-2">
        {props.packs.map((pack) => (
          <li key={pack.name} className="border-t border-edge pt-2">
            <details>
              <summary className="flex flex-wrap items-center gap-2 text-sm">
                <span className="font-semibold">{pack.name}</span>
                <Chip tone={pack.kind === 'law' ? 'warn' : 'plain'}>{pack.kind}</Chip>
                {pack.usedByLines.length > 0 && <Chip tone="good">In use</Chip>}
                <span className="text-muted">{pack.title}</span>
              </summary>
              <PackBody pack={pack} />
            </details>
          </li>
        ))}
      </ul>
    </Card>
  );
}

function PackBody(props: { pack: PackView }) {
  const { pack } = props;
  return (
    <div className="mt-2 flex flex-col gap-3 pl-4 text-sm">
      <p className="text-muted">
        {pack.source.title}, as of {pack.date}
      </p>
      <ul className="flex flex-col gap-1.5">
        {Object.entries(pack.rules).map(([rule, { section, sentence, seen }]) => (
          <li key={rule} className="border-l-2 border-edge pl-3">
            <strong>{inWords(rule)}.</strong> {sentence}
            <span className="block text-xs text-muted">
              {section}, seen {seen}
            </span>
          </li>
        ))}
      </ul>
      <pre className="max-h-80 overflow-auto rounded-xl bg-sunk p-3 text-xs" tabIndex={0}>
        {JSON.stringify(pack.values, null, 2)}
      </pre>
      {pack.remarks.map((remark) => (
        <p key={remark} className="text-xs text-muted">
          {remark}
        </p>
      ))}
    </div>
  );
}
