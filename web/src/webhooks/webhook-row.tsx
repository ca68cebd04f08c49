import { useState } from 'react';
import {
  useChangeWebhook,
  useRemoveWebhook,
  useRotateSecret,
  useSwitchWebhook,
  useTryWebhook,
  type TryoutView,
  type WebhookEndpointView,
} from '../api/webhook-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Chip } from '../ui/chip.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { SecretNote } from './secret-note.tsx';
import { WebhookFields } from './webhook-fields.tsx';

type Step = 'change' | 'rotate' | 'remove' | null;

/** One address that is told: how it is, trying it, and the ways to change it. */
export function WebhookRow(props: {
  endpoint: WebhookEndpointView;
  isShown: boolean;
  onShow: () => void;
}) {
  const { endpoint } = props;
  const { id, url, enabled, disabledReason, eventTypes } = endpoint;
  const [step, setStep] = useState<Step>(null);
  const tryout = useTryWebhook(id);
  const power = useSwitchWebhook(id);
  const error = tryout.error ?? power.error;
  const of = <span className="sr-only"> {url}</span>;
  return (
    <li className="flex flex-col gap-2 border-t border-edge pt-3 text-sm first:border-t-0 first:pt-0">
      <p className="flex flex-wrap items-center gap-2">
        <code className="min-w-0 font-mono text-xs font-semibold break-all">{url}</code>
        <Chip tone={enabled ? 'good' : 'bad'}>{enabled ? 'On' : 'Off'}</Chip>
      </p>
      <p className="text-muted">
        {eventTypes.length === 0 ? 'All events' : eventTypes.join(', ')} · since{' '}
        {dayAndTime(endpoint.createdAt)}
      </p>
      {!enabled && (
        <p className="text-bad">
          {disabledReason} What happens meanwhile is not kept for it: send it again from its
          deliveries.
        </p>
      )}
      <div className="flex flex-wrap items-start gap-2">
        <Button disabled={tryout.isPending} onClick={() => tryout.mutate(null)}>
          {tryout.isPending ? 'Sending…' : 'Send a test'}
          {of}
        </Button>
        {!props.isShown && <Button onClick={props.onShow}>Deliveries{of}</Button>}
        <Button onClick={() => setStep(step === 'change' ? null : 'change')}>Change{of}</Button>
        <Button
          disabled={power.isPending}
          onClick={() => power.mutate(enabled ? 'disable' : 'enable')}
        >
          {enabled ? 'Switch off' : 'Switch on'}
          {of}
        </Button>
        <Button look="quiet" onClick={() => setStep('rotate')}>
          New secret{of}
        </Button>
        <Button look="quiet" onClick={() => setStep('remove')}>
          Remove{of}
        </Button>
      </div>
      <div aria-live="polite">
        {tryout.data !== undefined && !tryout.isPending && <Tryout tryout={tryout.data} />}
      </div>
      {error !== null && <ProblemNote error={error} />}
      {step === 'change' && <ChangeForm endpoint={endpoint} onDone={() => setStep(null)} />}
      {step === 'rotate' && <Rotate id={id} />}
      {step === 'remove' && <Remove endpoint={endpoint} onKeep={() => setStep(null)} />}
    </li>
  );
}

function Tryout({ tryout }: { tryout: TryoutView }) {
  const { delivered, status, error, ms } = tryout;
  return (
    <p className="flex flex-wrap items-center gap-2">
      <Chip tone={delivered ? 'good' : 'bad'}>{delivered ? 'Taken' : 'Not taken'}</Chip>
      {status === null ? 'No answer' : `Answered ${status}`} after {ms} ms
      {error !== null && <code className="font-mono text-xs break-all">{error}</code>}
      {!delivered && <strong>It has to answer 2xx within 15 seconds.</strong>}
    </p>
  );
}

function ChangeForm(props: { endpoint: WebhookEndpointView; onDone: () => void }) {
  const { endpoint } = props;
  const [url, setUrl] = useState(endpoint.url);
  const [eventTypes, setEventTypes] = useState(endpoint.eventTypes);
  const change = useChangeWebhook(endpoint.id);
  return (
    <form
      className="flex flex-col gap-3 rounded-xl border border-edge p-3"
      onSubmit={(event) => {
        event.preventDefault();
        change.mutate({ url: url.trim(), eventTypes }, { onSuccess: props.onDone });
      }}
    >
      <WebhookFields
        url={url}
        eventTypes={eventTypes}
        onUrl={setUrl}
        onEventTypes={setEventTypes}
      />
      <div className="flex flex-wrap gap-2">
        <Button type="submit" look="primary" disabled={change.isPending}>
          Save the changes
        </Button>
        <Button onClick={props.onDone}>Leave it as it is</Button>
      </div>
      {change.error !== null && <ProblemNote error={change.error} />}
    </form>
  );
}

function Rotate(props: { id: string }) {
  const rotate = useRotateSecret(props.id);
  if (rotate.data !== undefined) return <SecretNote secret={rotate.data} />;
  return (
    <div className="flex flex-col items-start gap-2 rounded-xl border border-edge p-3">
      <p>For a day both secrets sign every delivery, so that you can change over without a gap.</p>
      <Button look="danger" disabled={rotate.isPending} onClick={() => rotate.mutate(null)}>
        Make a new secret
      </Button>
      {rotate.error !== null && <ProblemNote error={rotate.error} />}
    </div>
  );
}

function Remove(props: { endpoint: WebhookEndpointView; onKeep: () => void }) {
  const remove = useRemoveWebhook(props.endpoint.id);
  return (
    <div className="flex flex-col items-start gap-2 rounded-xl border border-edge p-3">
      <p>What was still to go there goes nowhere, and its deliveries are forgotten.</p>
      <div className="flex flex-wrap gap-2">
        <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate(null)}>
          Yes, remove it
        </Button>
        <Button onClick={props.onKeep}>Keep it</Button>
      </div>
      {remove.error !== null && <ProblemNote error={remove.error} />}
    </div>
  );
}
