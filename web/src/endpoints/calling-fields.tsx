import { CheckBox } from '../ui/check-box.tsx';
import { TextField } from '../ui/field.tsx';
import { SelectField } from '../ui/select-field.tsx';
import type { EndpointDraft } from './endpoint-draft.ts';
import type { DraftChange } from './endpoint-form.tsx';

const CODECS = [
  'opus, PCMU, PCMA',
  'opus, PCMA, PCMU',
  'PCMU, PCMA, opus',
  'PCMA, PCMU, opus',
  'opus',
  'PCMU',
  'PCMA',
];

const CAUSES: ReadonlyArray<[EndpointDraft['failoverOn'][number], string]> = [
  ['no_answer', 'No answer'],
  ['server_error', 'Trouble of the server (5xx)'],
  ['unreachable', 'Not reachable'],
  ['busy', 'Busy'],
  ['declined', 'Declined'],
];

type Part = { draft: EndpointDraft; onChange: DraftChange };

/** When it is called, with what, how much, and when the next target has its turn. */
export function CallingFields({ draft, onChange }: Part) {
  const codecs = CODECS.includes(draft.codecs) ? CODECS : [draft.codecs, ...CODECS];
  return (
    <>
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label="Called when"
          value={draft.strategy}
          options={[
            ['on_answer', 'The customer has picked up'],
            ['on_ringing', 'The customer’s phone rings'],
            ['agent_first', 'Before the customer is rung'],
          ]}
          onChange={(strategy) => onChange({ strategy })}
        />
        <TextField
          label="Rings for, seconds"
          value={draft.ringSeconds}
          inputMode="numeric"
          onChange={(ringSeconds) => onChange({ ringSeconds })}
        />
        <SelectField
          label="Codecs, best first"
          value={draft.codecs}
          options={codecs.map((one) => [one, one] as const)}
          onChange={(one) => onChange({ codecs: one })}
        />
        <SelectField
          label="The customer hears meanwhile"
          value={draft.meanwhile}
          options={[
            ['ringing', 'A ringing tone'],
            ['silence', 'Nothing'],
          ]}
          onChange={(meanwhile) => onChange({ meanwhile })}
        />
        <TextField
          label="Calls at a time"
          value={draft.maxCalls}
          inputMode="numeric"
          hint="Empty: without end"
          onChange={(maxCalls) => onChange({ maxCalls })}
        />
        <TextField
          label="Minutes of talk a day (UTC)"
          value={draft.minutesPerDay}
          inputMode="numeric"
          hint="Empty: without end"
          onChange={(minutesPerDay) => onChange({ minutesPerDay })}
        />
      </div>
      {draft.kind === 'sip' && <SipFields draft={draft} onChange={onChange} />}
    </>
  );
}

function SipFields({ draft, onChange }: Part) {
  const { failoverOn } = draft;
  return (
    <>
      <fieldset className="flex min-w-0 flex-col gap-3 rounded-xl border border-edge p-3">
        <legend className="px-1 text-sm font-semibold">The next target is called on</legend>
        <div className="flex flex-wrap gap-x-4">
          {CAUSES.map(([cause, words]) => (
            <CheckBox
              key={cause}
              label={words}
              checked={failoverOn.includes(cause)}
              onChange={(checked) =>
                onChange({
                  failoverOn: checked
                    ? [...failoverOn, cause]
                    : failoverOn.filter((one) => one !== cause),
                })
              }
            />
          ))}
        </div>
        <div className="grid gap-3 sm:grid-cols-2">
          <TextField
            label="Targets tried at most"
            value={draft.maxTargets}
            inputMode="numeric"
            onChange={(maxTargets) => onChange({ maxTargets })}
          />
          <TextField
            label="None later than, seconds"
            value={draft.withinSeconds}
            inputMode="numeric"
            onChange={(withinSeconds) => onChange({ withinSeconds })}
          />
        </div>
      </fieldset>
      <div className="grid gap-3 sm:grid-cols-2">
        <SelectField
          label="From shows"
          value={draft.callerId}
          options={[
            ['number', 'The customer’s number'],
            ['alias', 'The id of the contact, no number'],
          ]}
          onChange={(callerId) => onChange({ callerId })}
        />
        <SelectField
          label="User-to-User carries"
          value={draft.userToUser}
          options={[
            ['reference', 'Your reference'],
            ['call_id', 'The id of the call'],
            ['off', 'Nothing'],
          ]}
          onChange={(userToUser) => onChange({ userToUser })}
        />
      </div>
      <SipChecks draft={draft} onChange={onChange} />
    </>
  );
}

function SipChecks({ draft, onChange }: Part) {
  return (
    <>
      <CheckBox
        label="Ask by SIP OPTIONS whether it is there"
        checked={draft.healthCheck}
        onChange={(healthCheck) => onChange({ healthCheck })}
      />
      <CheckBox
        label="Register there with the user name of each target"
        checked={draft.register}
        onChange={(register) => onChange({ register })}
      />
    </>
  );
}
