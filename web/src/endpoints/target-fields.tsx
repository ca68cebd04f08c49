import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { TargetDraft } from './endpoint-draft.ts';

/** One address of an endpoint: where, in which order, as whom, how encrypted. */
export function TargetFields(props: {
  number: number;
  target: TargetDraft;
  keepsPassword: boolean;
  onChange: (target: TargetDraft) => void;
  onRemove: (() => void) | null;
}) {
  const { target, number } = props;
  const change = (part: Partial<TargetDraft>): void => props.onChange({ ...target, ...part });
  return (
    <fieldset className="flex min-w-0 flex-col gap-3 rounded-xl border border-edge p-3">
      <legend className="px-1 text-sm font-semibold">Target {number}</legend>
      <TextField
        label="SIP address"
        value={target.uri}
        required
        maxLength={400}
        spellCheck={false}
        placeholder="sips:reception@pbx.example.com"
        hint="sip:user@host[:port][;transport=udp, tcp or tls] or sips:…; no telephone numbers"
        onChange={(uri) => change({ uri })}
      />
      <div className="grid gap-3 sm:grid-cols-3">
        <TextField
          label="Priority"
          value={target.priority}
          inputMode="numeric"
          hint="Lower is called first"
          onChange={(priority) => change({ priority })}
        />
        <TextField
          label="Weight"
          value={target.weight}
          inputMode="numeric"
          hint="Share among equal priorities"
          onChange={(weight) => change({ weight })}
        />
        <SelectField
          label="Encrypted audio (SRTP)"
          value={target.srtp}
          options={[
            ['off', 'Off'],
            ['preferred', 'Preferred'],
            ['required', 'Required'],
          ]}
          onChange={(srtp) => change({ srtp })}
        />
        <TextField
          label="User name"
          value={target.username}
          maxLength={100}
          autoComplete="off"
          onChange={(username) => change({ username })}
        />
        <TextField
          label="Password"
          type="password"
          value={target.password}
          maxLength={200}
          autoComplete="new-password"
          {...(props.keepsPassword && { hint: 'Left empty it stays as it is' })}
          onChange={(password) => change({ password })}
        />
      </div>
      {target.srtp !== 'off' && !isSecret(target.uri) && (
        <p className="text-sm text-warn">
          The keys of SRTP travel in the SIP messages: use sips: or ;transport=tls, or anybody on
          the way can read them.
        </p>
      )}
      {props.onRemove !== null && (
        <div>
          <Button look="quiet" onClick={props.onRemove}>
            Remove target {number}
          </Button>
        </div>
      )}
    </fieldset>
  );
}

const isSecret = (uri: string): boolean => /^sips:|;transport=tls/i.test(uri);
