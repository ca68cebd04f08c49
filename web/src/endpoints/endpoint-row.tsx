import { useState } from 'react';
import type { EndpointView } from '../../../src/http/api-types.ts';
import {
  useEndpointHealth,
  useRemoveEndpoint,
  useTestCall,
  type TestReport,
} from '../api/endpoint-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';

const HEALTH: Record<EndpointView['health'], [tone: Tone, words: string]> = {
  up: ['good', 'Answers'],
  degraded: ['warn', 'Some targets are down'],
  down: ['bad', 'Down'],
  unknown: ['plain', 'Not asked yet'],
};

/** One endpoint: how it is, a test call, and the ways to change it. */
export function EndpointRow(props: {
  endpoint: EndpointView;
  onEdit: () => void;
  onRemoved: () => void;
}) {
  const { endpoint } = props;
  const testCall = useTestCall();
  const remove = useRemoveEndpoint();
  const [isSure, setSure] = useState(false);
  const { agents, name } = endpoint;
  const [tone, words] = HEALTH[endpoint.health];
  return (
    <li className="flex flex-col gap-2 border-t border-edge pt-2 text-sm first:border-t-0 first:pt-0">
      <p className="flex flex-wrap items-center gap-2">
        <span className="font-semibold break-words">{name}</span>
        {agents === null && endpoint.healthCheck === 'options' && <Chip tone={tone}>{words}</Chip>}
        {agents !== null && <Chip tone="accent">Agents of {agents.group}</Chip>}
        {endpoint.maxCalls !== null && (
          <span className="text-muted">at most {endpoint.maxCalls} calls</span>
        )}
        {endpoint.minutesPerDay !== null && (
          <span className="text-muted">{endpoint.minutesPerDay} min a day</span>
        )}
      </p>
      {agents === null && <Targets endpoint={endpoint} />}
      <div className="flex flex-wrap items-start gap-2">
        <Button onClick={props.onEdit}>
          Change<span className="sr-only"> {name}</span>
        </Button>
        {agents === null && (
          <>
            <Button disabled={testCall.isPending} onClick={() => testCall.mutate(endpoint.id)}>
              {testCall.isPending ? 'Calling each target…' : 'Test call'}
              <span className="sr-only"> to {name}</span>
            </Button>
            <CopyCurl
              what={`test call to ${name}`}
              path={`/v1/endpoints/${endpoint.id}/test`}
              body={{}}
            />
          </>
        )}
        {!isSure && (
          <Button look="quiet" onClick={() => setSure(true)}>
            Remove<span className="sr-only"> {name}</span>
          </Button>
        )}
        {isSure && (
          <Button
            look="danger"
            disabled={remove.isPending}
            onClick={() => remove.mutate(endpoint.id, { onSuccess: props.onRemoved })}
          >
            Yes, remove {name}
          </Button>
        )}
      </div>
      <div aria-live="polite">
        {testCall.data !== undefined && !testCall.isPending && <Report report={testCall.data} />}
      </div>
      {testCall.error !== null && <ProblemNote error={testCall.error} />}
      {remove.error !== null && <ProblemNote error={remove.error} />}
    </li>
  );
}

/** Its addresses in the order of priority, and what OPTIONS found of each. */
function Targets(props: { endpoint: EndpointView }) {
  const { id, targets } = props.endpoint;
  const health = useEndpointHealth(id).data;
  return (
    <ol className="flex flex-col gap-1">
      {targets
        .toSorted((a, b) => a.priority - b.priority)
        .map(({ uri, srtp }) => {
          const known = health?.targets.find((one) => one.uri === uri);
          const isDown = known?.state === 'down';
          return (
            <li key={uri} className="min-w-0">
              <code className="font-mono text-xs break-all">{uri}</code>
              {srtp !== 'off' && <span className="text-xs text-muted"> · SRTP {srtp}</span>}
              {isDown && (
                <span className="text-xs text-bad">
                  {' '}
                  · down since {dayAndTime(known.since ?? '')}: {known.status} {known.reason}
                </span>
              )}
              {known?.state === 'up' && known.roundTripMs !== null && (
                <span className="text-xs text-muted"> · {known.roundTripMs} ms</span>
              )}
            </li>
          );
        })}
    </ol>
  );
}

function Report(props: { report: TestReport }) {
  return (
    <ul aria-label="Test call" className="flex flex-col gap-2">
      {props.report.targets.map(({ uri, ok, code, what, fix }) => (
        <li key={uri} className={ok ? 'border-l-2 border-good pl-3' : 'border-l-2 border-bad pl-3'}>
          <p>
            <Chip tone={ok ? 'good' : 'bad'}>{ok ? 'Works' : 'Does not work'}</Chip>{' '}
            <code className="font-mono text-xs break-all">{uri}</code>
          </p>
          <p>
            {what} {fix !== null && <strong>{fix}</strong>}
          </p>
          {!ok && <code className="font-mono text-xs">{code}</code>}
        </li>
      ))}
    </ul>
  );
}
