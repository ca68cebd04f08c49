import { useState } from 'react';
import { useGuard, useSaveGuard, type GuardView } from '../api/guard-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { TextArea } from '../ui/text-area.tsx';

/** VoIP only, as Meta wants it: the hosts and user parts that calls may go to, and caps. */
export function GuardCard() {
  const guard = useGuard();
  return (
    <Card title="Where calls may go">
      <p className="mb-3 text-sm text-muted">
        Meta forbids the telephone network on any leg. It holds for every endpoint that exists, from
        the next call on, and for redirects and transfers.
      </p>
      {guard.error !== null && <ProblemNote error={guard.error} />}
      {guard.isPending && <p className="text-sm text-muted">Loading…</p>}
      {guard.data !== undefined && (
        <GuardForm key={JSON.stringify(guard.data)} guard={guard.data} />
      )}
    </Card>
  );
}

function GuardForm(props: { guard: GuardView }) {
  const { guard } = props;
  const [isListed, setListed] = useState(guard.allowedHosts !== null);
  const [hosts, setHosts] = useState(guard.allowedHosts?.join('\n') ?? '');
  const [prefixes, setPrefixes] = useState(guard.pstnPrefixes.join(', '));
  const [calls, setCalls] = useState(textOf(guard.keyMaxCalls));
  const [minutes, setMinutes] = useState(textOf(guard.keyMinutesPerDay));
  const save = useSaveGuard();
  const allowedHosts = isListed ? partsOf(hosts) : null;
  const isClosed = allowedHosts?.length === 0;
  const body = {
    allowedHosts,
    pstnPrefixes: partsOf(prefixes),
    keyMaxCalls: numberIn(calls),
    keyMinutesPerDay: numberIn(minutes),
  };
  return (
    <form
      className="flex flex-col gap-3"
      onSubmit={(event) => {
        event.preventDefault();
        save.mutate(body);
      }}
    >
      <CheckBox label="Only to the hosts of a list" checked={isListed} onChange={setListed} />
      {isListed && <HostList hosts={hosts} onHosts={setHosts} />}
      {isClosed && (
        <p role="alert" className="text-sm text-warn">
          An empty list lets no call go anywhere.
        </p>
      )}
      {guard.operatorHosts !== null && (
        <p className="text-xs text-muted">
          This server allows only:{' '}
          <span className="break-all">{guard.operatorHosts.join(', ')}</span>. Both lists hold.
        </p>
      )}
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField
          label="A telephone number begins with"
          value={prefixes}
          hint="Of 7 digits or more, such as +, 00"
          onChange={setPrefixes}
        />
        <TextField
          label="Calls at a time of one key"
          value={calls}
          inputMode="numeric"
          hint="Empty: no cap"
          onChange={setCalls}
        />
        <TextField
          label="Minutes a day of one key"
          value={minutes}
          inputMode="numeric"
          hint="By UTC; empty: no cap"
          onChange={setMinutes}
        />
      </div>
      <p className="text-xs text-muted">
        Caps of one endpoint stand with the endpoint; those of lines and campaigns under Rules.
      </p>
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" disabled={save.isPending}>
          Save where calls may go
        </Button>
        <CopyCurl what="where calls may go" method="PUT" path="/v1/voip-guard" body={body} />
      </div>
      {save.error !== null && <ProblemNote error={save.error} />}
    </form>
  );
}

function HostList(props: { hosts: string; onHosts: (hosts: string) => void }) {
  return (
    <>
      <TextArea
        label="Hosts, one a line"
        value={props.hosts}
        rows={3}
        maxLength={60_000}
        code
        onChange={props.onHosts}
      />
      <p className="text-xs text-muted">
        A name, *.example.com, an address or a network such as 192.0.2.0/24, each with or without a
        port.
      </p>
    </>
  );
}

function partsOf(text: string): string[] {
  return text.split(/[\s,;]+/).filter(Boolean);
}

function textOf(value: number | null): string {
  return value === null ? '' : String(value);
}

/** What the API is to judge stays as it is; only nothing at all means no cap. */
function numberIn(text: string): number | null {
  return text.trim() === '' ? null : Number(text.trim());
}
