import { useState } from 'react';
import type { AgentWithToken } from '../api/agent-hooks.ts';
import { Button } from '../ui/button.tsx';

/** Shown once: only a hash of the token is kept. */
export function AgentLink(props: { agent: AgentWithToken; onClose: () => void }) {
  const { name, token } = props.agent;
  const [copied, setCopied] = useState(false);
  const link = `${location.origin}/agent#token=${token}`;
  return (
    <section
      aria-label={`Link of ${name}`}
      className="mb-3 flex flex-col gap-2 rounded-xl border border-accent bg-accent-soft p-3"
    >
      <p className="text-sm">
        Give this link to <strong>{name}</strong>. It is shown once, and whoever has it answers as
        them.
      </p>
      <input
        readOnly
        aria-label={`Link for ${name}`}
        value={link}
        onFocus={(event) => event.target.select()}
        className="min-h-9 rounded-lg border border-edge-strong bg-card px-3 font-mono text-xs"
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button
          look="primary"
          onClick={() =>
            // Browsers give the clipboard to secure origins only; the text can be taken by hand.
            void navigator.clipboard?.writeText(link).then(
              () => setCopied(true),
              () => setCopied(false),
            )
          }
        >
          Copy the link
        </Button>
        <Button onClick={props.onClose}>Done</Button>
        <span role="status" className="text-sm text-good">
          {copied ? 'Copied.' : ''}
        </span>
      </div>
    </section>
  );
}
