import { useEffect, useState } from 'react';
import { systemClock } from '../../../src/platform/clock.ts';
import { asCurl } from '../api/curl.ts';
import { useBusiness } from '../api/business-context.tsx';
import { makeIntentKey } from '../api/intent-key.ts';
import { Button } from '../ui/button.tsx';

const SAY_COPIED_MS = 2_500;

/** Puts what the form would send on the clipboard, as a command for a shell. */
export function CopyCurl(props: {
  what: string;
  path: string;
  body?: unknown;
  method?: 'GET' | 'POST' | 'PUT' | 'PATCH';
  csvFile?: string;
}) {
  const { client } = useBusiness();
  const [said, setSaid] = useState<'copied' | 'shown' | null>(null);
  const [command, setCommand] = useState('');

  useEffect(() => {
    if (said !== 'copied') return undefined;
    const timer = systemClock.after(SAY_COPIED_MS, () => setSaid(null));
    return () => timer.cancel();
  }, [said]);

  const copy = async (): Promise<void> => {
    const text = asCurl({
      url: client.baseUrl + props.path,
      apiKey: client.apiKey,
      idempotencyKey: makeIntentKey(),
      body: props.body,
      ...(props.method !== undefined && { method: props.method }),
      ...(props.csvFile !== undefined && { csvFile: props.csvFile }),
    });
    setCommand(text);
    try {
      await navigator.clipboard.writeText(text);
      setSaid('copied');
    } catch {
      // Browsers give the clipboard to secure origins only; the text can be taken by hand.
      setSaid('shown');
    }
  };

  return (
    <div className="flex min-w-0 flex-col gap-2">
      <Button look="quiet" onClick={() => void copy()}>
        Copy as curl<span className="sr-only">: {props.what}</span>
      </Button>
      <p role="status" className="sr-only">
        {said === 'copied' ? 'Copied to the clipboard.' : ''}
      </p>
      {said === 'copied' && (
        <p aria-hidden className="text-center text-xs font-semibold text-good">
          Copied
        </p>
      )}
      {said === 'shown' && (
        <textarea
          readOnly
          aria-label={`Command: ${props.what}`}
          rows={6}
          value={command}
          className="w-full rounded-lg border border-edge-strong bg-sunk p-2 font-mono text-xs"
        />
      )}
    </div>
  );
}
