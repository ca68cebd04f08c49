import { useState } from 'react';
import { useAddAgent, type AgentWithToken } from '../api/agent-hooks.ts';
import { CopyCurl } from '../business/copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';
import { groupsIn } from './groups.ts';

/** One agent more; their link comes with the answer. */
export function NewAgentCard(props: { onAdded: (agent: AgentWithToken) => void }) {
  const [name, setName] = useState('');
  const [text, setText] = useState('sales');
  const adding = useAddAgent();
  const wish = { name: name.trim(), groups: groupsIn(text) };
  return (
    <Card title="Add an agent">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          adding.mutate(wish, {
            onSuccess: (agent) => {
              props.onAdded(agent);
              setName('');
            },
          });
        }}
      >
        <TextField label="Name" value={name} required maxLength={100} onChange={setName} />
        <TextField
          label="Groups"
          value={text}
          required
          hint="Small letters, digits and dashes, by commas. An endpoint rings one group."
          onChange={setText}
        />
        {adding.error !== null && <ProblemNote error={adding.error} />}
        <div className="flex flex-wrap items-start gap-2">
          <Button
            type="submit"
            look="primary"
            disabled={adding.isPending || wish.name === '' || wish.groups.length === 0}
          >
            Add and get the link
          </Button>
          <CopyCurl what="adding an agent" path="/v1/agents" body={wish} />
        </div>
      </form>
    </Card>
  );
}
