import { useState } from 'react';
import type { LineView } from '../../../src/http/api-types.ts';
import { useLines } from '../api/business-hooks.ts';
import { useSetKeyExchange } from '../api/line-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SelectField } from '../ui/select-field.tsx';

type KeyExchange = LineView['keyExchange'];

const CHOICES: ReadonlyArray<readonly [value: KeyExchange, words: string]> = [
  ['dtls', 'DTLS (recommended)'],
  ['sdes', 'SDES'],
];

/** How the sound between WhatsApp and each line is encrypted; set here and at Meta together. */
export function KeyExchangeCard() {
  const lines = useLines();
  return (
    <Card title="Encryption toward WhatsApp">
      <p className="mb-3 text-sm text-muted">
        Sound is always encrypted. Take SDES only where DTLS does not come through your network: its
        keys travel with the call set-up.
      </p>
      {lines.error !== null && <ProblemNote error={lines.error} />}
      <ul className="flex flex-col gap-3">
        {(lines.data?.items ?? []).map((line) => (
          <LineRow key={`${line.id} ${line.keyExchange}`} line={line} />
        ))}
      </ul>
    </Card>
  );
}

function LineRow(props: { line: LineView }) {
  const { line } = props;
  const [wanted, setWanted] = useState(line.keyExchange);
  const set = useSetKeyExchange();
  return (
    <li className="flex flex-col gap-2">
      <div className="flex flex-wrap items-end gap-2">
        <SelectField
          label={`${line.name} (${line.displayNumber})`}
          value={wanted}
          options={CHOICES}
          onChange={setWanted}
        />
        <Button
          disabled={wanted === line.keyExchange || set.isPending}
          onClick={() => set.mutate({ lineId: line.id, keyExchange: wanted })}
        >
          {set.isPending ? 'Asking Meta…' : 'Set at Meta and here'}
        </Button>
        <Chip tone={line.keyExchange === 'dtls' ? 'good' : 'accent'}>
          now {line.keyExchange.toUpperCase()}
        </Chip>
      </div>
      <div aria-live="polite">{set.error !== null && <ProblemNote error={set.error} />}</div>
    </li>
  );
}
