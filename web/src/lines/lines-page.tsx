import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import { useLines } from '../api/business-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { CallingCard } from './calling-card.tsx';
import { GoLiveCard } from './go-live-card.tsx';
import { KeyExchangeCard } from './key-exchange-card.tsx';
import { LineForm } from './line-form.tsx';
import { OwnSettingsCard } from './own-settings-card.tsx';

/** Business numbers: what each still lacks, and its settings here and at Meta. */
export function LinesPage() {
  const lines = useLines();
  const [picked, setPicked] = useState<string | null>(null);
  /** The line whose access is written anew; `new` for another one. */
  const [writing, setWriting] = useState<string | null>(null);
  const items = lines.data?.items ?? [];
  const isEmpty = lines.data !== undefined && items.length === 0;
  const line = items.find(({ id }) => id === picked) ?? items[0];
  return (
    <main className="mx-auto grid max-w-360 grid-cols-1 items-start gap-4 px-4 pb-10 xl:grid-cols-2">
      <div className="grid min-w-0 grid-cols-1 gap-4">
        <Card
          title="Lines"
          aside={!isEmpty && <Button onClick={() => setWriting('new')}>Add one</Button>}
        >
          {lines.error !== null && <ProblemNote error={lines.error} />}
          {lines.isPending && <p className="text-sm text-muted">Loading…</p>}
          {isEmpty && (
            <p className="text-sm text-muted">
              No line yet: nobody can be asked or called. Add your WhatsApp business number below.
            </p>
          )}
          <ul className="flex flex-col gap-2">
            {items.map((one) => (
              <LineRow
                key={one.id}
                line={one}
                isShown={one.id === line?.id}
                onShow={() => setPicked(one.id)}
                onRenew={() => setWriting(one.id)}
              />
            ))}
          </ul>
        </Card>
        {(writing !== null || isEmpty) && (
          <LineForm
            key={writing ?? 'first'}
            line={items.find(({ id }) => id === writing) ?? null}
            onSaved={(saved) => {
              setPicked(saved.id);
              setWriting(null);
            }}
            onClose={isEmpty ? null : () => setWriting(null)}
          />
        )}
        {line !== undefined && (
          <>
            <OwnSettingsCard key={JSON.stringify(line)} line={line} />
            <CallingCard key={line.id} line={line} />
            <KeyExchangeCard />
          </>
        )}
      </div>
      {line !== undefined && <GoLiveCard key={line.id} line={line} />}
    </main>
  );
}

function LineRow(props: {
  line: LineView;
  isShown: boolean;
  onShow: () => void;
  onRenew: () => void;
}) {
  const { line, isShown } = props;
  const { name, displayNumber, country, policyPack, restrictedUntil } = line;
  return (
    <li className="flex flex-col gap-2 border-t border-edge pt-2 text-sm first:border-t-0 first:pt-0">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-semibold break-words">{name}</span>
        <span className="text-muted">
          {displayNumber} ({country})
        </span>
        <Chip tone="plain">{policyPack}</Chip>
        {!line.enabled && <Chip tone="bad">Off</Chip>}
        {restrictedUntil !== null && (
          <Chip tone="bad">restricted by Meta until {dayAndTime(restrictedUntil)}</Chip>
        )}
      </p>
      <div className="flex flex-wrap gap-2">
        {!isShown && (
          <Button onClick={props.onShow}>
            Show<span className="sr-only"> {name}</span>
          </Button>
        )}
        <Button look="quiet" onClick={props.onRenew}>
          Write token and secrets anew<span className="sr-only"> of {name}</span>
        </Button>
      </div>
    </li>
  );
}
