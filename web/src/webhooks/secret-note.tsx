import { useState } from 'react';
import type { SecretView } from '../api/webhook-hooks.ts';
import { Button } from '../ui/button.tsx';
import { dayAndTime } from '../ui/format.ts';

/** A secret is kept sealed: whoever closes this has to make another. */
export function SecretNote(props: { secret: SecretView }) {
  const { secret, previousUntil } = props.secret;
  const [isCopied, setCopied] = useState(false);
  return (
    <div role="status" className="rounded-xl bg-warn-soft p-3 text-sm">
      <p className="font-semibold text-warn">The secret, shown this once</p>
      <p className="my-2 rounded-lg bg-card p-2 font-mono text-xs break-all">{secret}</p>
      <p className="mb-2">
        Your program checks every delivery with it. Keep it where you keep passwords.
        {previousUntil !== undefined &&
          ` Until ${dayAndTime(previousUntil)} the one before signs as well.`}
      </p>
      <Button
        onClick={() => {
          // Browsers give the clipboard to secure origins only; the text can be marked by hand.
          void navigator.clipboard?.writeText(secret).then(
            () => setCopied(true),
            () => undefined,
          );
        }}
      >
        {isCopied ? 'Copied' : 'Copy the secret'}
      </Button>
    </div>
  );
}
