import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { Button } from '../ui/button.tsx';
import { Icon } from '../ui/icon.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { pathOf, type AgentCall } from './call-path.ts';
import type { AgentLink } from './use-agent.ts';

/** The customer says stop: one press more, because it cannot be taken back here. */
export function NoMoreCalls({ link, call }: { link: AgentLink; call: AgentCall }) {
  const [asked, setAsked] = useState(false);
  const stopping = useMutation({
    mutationFn: () => link.client.post(`${pathOf(call)}/opt-out`, {}),
  });
  if (!asked) {
    return (
      <div>
        <Button look="danger" onClick={() => setAsked(true)}>
          <Icon name="stop" />
          Customer wants no more calls
        </Button>
      </div>
    );
  }
  return (
    <div className="flex flex-col gap-2 rounded-xl border border-bad p-3">
      <p className="text-sm">
        They are never called or asked again, and this call ends now. Only they can take it back.
      </p>
      {stopping.error !== null && <ProblemNote error={stopping.error} />}
      <div className="flex flex-wrap gap-2">
        <Button look="danger" disabled={stopping.isPending} onClick={() => stopping.mutate()}>
          Yes, never again
        </Button>
        <Button onClick={() => setAsked(false)}>No, go on</Button>
      </div>
    </div>
  );
}
