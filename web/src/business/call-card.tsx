import { useId, useState } from 'react';
import type { CallView, ConsentView, RuleVerdict } from '../../../src/http/api-types.ts';
import { useDial, useEligibility } from '../api/business-hooks.ts';
import { usePractices } from '../api/practice-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { Chip } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { useSettled } from '../ui/use-settled.ts';
import { verdict } from './call-words.ts';
import { CopyCurl } from './copy-curl.tsx';
import { LiveControls } from './live-controls.tsx';
import { RuleList } from './rule-list.tsx';
import { UNCHECKED, ValueChecklist } from './value-checklist.tsx';

/** Step two: calls, if the gate would let the call through; says why and what to do if not. */
export function CallCard(props: {
  to: string;
  lineId: string;
  askPurpose: string;
  consent: ConsentView | null;
  /** The call with this person that is under way; null when there is none. */
  live: CallView | null;
  name: string;
  onCalled: (call: CallView) => void;
}) {
  const [typed, setTyped] = useState<string | null>(null);
  // A call must keep to what the person said yes to, so that purpose is offered first.
  const purpose = typed ?? props.consent?.purpose ?? props.askPurpose;
  const wish = { to: props.to, purpose: purpose.trim(), lineId: props.lineId };
  const gate = useEligibility({ ...wish, purpose: useSettled(wish.purpose) });
  const dial = useDial();
  const asks = usePractices().data?.checklist ?? 'off';
  const [answers, setAnswers] = useState(UNCHECKED);
  const asked = asks === 'off' ? wish : { ...wish, checklist: answers };
  const reasonId = useId();
  const allowed = gate.data?.allowed === true;
  const refusal = gate.data?.rules.find((rule) => rule.verdict === 'refuse') ?? null;
  const call = (): void => dial.mutate(asked, { onSuccess: props.onCalled });
  return (
    <Card
      title="2. Call"
      aside={
        gate.data !== undefined && (
          <Chip tone={allowed ? 'good' : 'bad'}>
            {allowed ? 'May call now' : 'May not call now'}
          </Chip>
        )
      }
    >
      <div className="flex flex-col gap-3">
        <TextField
          label="Purpose of the call"
          value={purpose}
          maxLength={200}
          hint="Must be what the person said yes to."
          onChange={setTyped}
        />
        {asks !== 'off' && (
          <ValueChecklist answers={answers} required={asks === 'require'} onChange={setAnswers} />
        )}
        <div className="flex flex-wrap items-start gap-2">
          <Button
            look="primary"
            blocked={!allowed || dial.isPending}
            aria-describedby={reasonId}
            onClick={call}
          >
            {dial.isPending ? 'Calling…' : 'Call now'}
          </Button>
          <CopyCurl what="call" path="/v1/calls" body={asked} />
        </div>
        <div id={reasonId}>
          {allowed && <p className="text-sm text-good">Every rule says yes.</p>}
          {refusal !== null && props.live === null && <Reason refusal={refusal} />}
          {props.live !== null && <LiveCall call={props.live} name={props.name} />}
          {gate.error !== null && <ProblemNote error={gate.error} />}
        </div>
        {dial.error !== null && <ProblemNote error={dial.error} />}
        {gate.data !== undefined && (
          <RuleList pack={gate.data.policyPack} rules={gate.data.rules} />
        )}
      </div>
    </Card>
  );
}

/** While somebody is on the phone, that is the news; the next refusal can wait. */
function LiveCall(props: { call: CallView; name: string }) {
  return (
    <div className="flex flex-col gap-2.5 rounded-xl bg-accent-soft p-3">
      <p className="min-w-0 text-sm font-semibold">{verdict(props.call, props.name)}</p>
      <LiveControls call={props.call} />
    </div>
  );
}

function Reason(props: { refusal: RuleVerdict }) {
  const { refusal } = props;
  return (
    <div className="rounded-xl bg-warn-soft p-3 text-sm">
      <p className="font-semibold text-warn">{refusal.message}</p>
      {refusal.fix !== null && (
        <p className="mt-1">
          <span className="font-semibold">Fix: </span>
          {refusal.fix}
        </p>
      )}
      {refusal.allowedAt !== null && (
        <p className="mt-1">Possible from {dayAndTime(refusal.allowedAt)}.</p>
      )}
      <p className="mt-1 font-mono text-xs">{refusal.code ?? refusal.rule}</p>
    </div>
  );
}
