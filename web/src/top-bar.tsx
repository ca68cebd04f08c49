import type { ReactNode } from 'react';
import { Button } from './ui/button.tsx';

/** Name, version, and the bar that says whether a real person could be reached. */
export function TopBar(props: {
  simulated: boolean;
  version: string;
  status?: ReactNode;
  onLeave?: () => void;
}) {
  return (
    <header>
      {props.simulated ? (
        <p className="simulator-stripes px-4 py-1 text-center text-xs font-bold tracking-wide">
          SIMULATOR · No real person is called. This machine plays WhatsApp and the customer.
        </p>
      ) : (
        <p className="bg-bad px-4 py-1 text-center text-xs font-bold tracking-wide text-card">
          LIVE · Requests and calls from this page reach real people.
        </p>
      )}
      <div className="mx-auto flex max-w-360 flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5">
        <img src="/favicon.svg" alt="" width={28} height={28} />
        <h1 className="text-lg font-extrabold tracking-tight">Askfirst</h1>
        <p className="hidden text-sm text-muted sm:block">Ask first, then call.</p>
        <div className="ml-auto flex items-center gap-3 text-xs text-muted">
          {props.status}
          <span className="hidden sm:inline">Version {props.version}</span>
          {props.onLeave !== undefined && (
            <Button look="quiet" onClick={props.onLeave}>
              Forget key
            </Button>
          )}
        </div>
      </div>
    </header>
  );
}
