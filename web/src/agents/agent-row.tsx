import { useState } from 'react';
import type { AgentView } from '../../../src/agents/agent-views.ts';
import {
  useNewToken,
  useRemoveAgent,
  useSetGroups,
  type AgentWithToken,
} from '../api/agent-hooks.ts';
import { Button } from '../ui/button.tsx';
import { Chip, type Tone } from '../ui/chip.tsx';
import { TextField } from '../ui/field.tsx';
import { dayAndTime } from '../ui/format.ts';
import { ProblemNote } from '../ui/problem-note.tsx';
import { groupsIn } from './groups.ts';

const STATES: Record<AgentView['state'], readonly [words: string, tone: Tone]> = {
  available: ['Ready', 'good'],
  ringing: ['A call rings', 'accent'],
  busy: ['In a call', 'accent'],
  wrap_up: ['Pause after a call', 'warn'],
  away: ['Away', 'plain'],
  gone: ['No page open', 'plain'],
};

/** One agent: how they are, and what can be done about it. */
export function AgentRow(props: {
  agent: AgentView;
  onToken: (agent: AgentWithToken) => void;
  onRemoved: () => void;
}) {
  const { agent } = props;
  const [open, setOpen] = useState<'groups' | 'remove' | null>(null);
  const renewing = useNewToken(agent.id);
  const [words, tone] = agent.reservedFor === null ? STATES[agent.state] : KEPT;
  return (
    <li className="flex flex-col gap-2 rounded-xl border border-edge p-3">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <strong dir="auto">{agent.name}</strong>
        <Chip tone={tone} live={agent.state === 'available'}>
          {words}
        </Chip>
        <span className="text-sm text-muted">{agent.groups.join(', ')}</span>
      </div>
      <p className="text-xs text-muted">Without a call since {dayAndTime(agent.idleSince)}</p>
      <div className="flex flex-wrap gap-2">
        <Button
          disabled={renewing.isPending}
          onClick={() => renewing.mutate({}, { onSuccess: props.onToken })}
        >
          New link<span className="sr-only"> for {agent.name}</span>
        </Button>
        <Button
          aria-expanded={open === 'groups'}
          onClick={() => setOpen(open === 'groups' ? null : 'groups')}
        >
          Groups<span className="sr-only"> of {agent.name}</span>
        </Button>
        <Button
          look="danger"
          aria-expanded={open === 'remove'}
          onClick={() => setOpen(open === 'remove' ? null : 'remove')}
        >
          Remove<span className="sr-only"> {agent.name}</span>
        </Button>
      </div>
      {renewing.error !== null && <ProblemNote error={renewing.error} />}
      {open === 'groups' && <GroupsForm agent={agent} onDone={() => setOpen(null)} />}
      {open === 'remove' && (
        <Removal agent={agent} onRemoved={props.onRemoved} onKept={() => setOpen(null)} />
      )}
    </li>
  );
}

const KEPT = ['A customer is rung for them', 'accent'] as const;

function GroupsForm(props: { agent: AgentView; onDone: () => void }) {
  const { agent } = props;
  const [text, setText] = useState(agent.groups.join(', '));
  const saving = useSetGroups(agent.id);
  const groups = groupsIn(text);
  return (
    <form
      className="flex flex-col gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        saving.mutate(groups, { onSuccess: props.onDone });
      }}
    >
      <TextField label="Groups" value={text} required onChange={setText} />
      {saving.error !== null && <ProblemNote error={saving.error} />}
      <div>
        <Button type="submit" disabled={saving.isPending || groups.length === 0}>
          Save groups
        </Button>
      </div>
    </form>
  );
}

function Removal(props: { agent: AgentView; onRemoved: () => void; onKept: () => void }) {
  const removing = useRemoveAgent(props.agent.id);
  return (
    <div className="flex flex-col gap-2 rounded-xl bg-bad-soft p-3 text-sm">
      <p>Their link opens nothing more, and a call they have ends now.</p>
      {removing.error !== null && <ProblemNote error={removing.error} />}
      <div className="flex flex-wrap gap-2">
        <Button
          look="danger"
          disabled={removing.isPending}
          onClick={() => removing.mutate(undefined, { onSuccess: props.onRemoved })}
        >
          Yes, remove
        </Button>
        <Button onClick={props.onKept}>No, keep</Button>
      </div>
    </div>
  );
}
