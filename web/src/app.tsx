import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { forgetAccessKey, keepAccessKey, takeAccessKey } from './api/access-key.ts';
import { BusinessProvider } from './api/business-context.tsx';
import { SimulatorProvider } from './api/simulator-hooks.tsx';
import { useWebConfig } from './api/web-config.ts';
import { KeyForm } from './key-form.tsx';
import { StopAll } from './stop-all.tsx';
import { TopBar } from './top-bar.tsx';
import { Workspace } from './workspace.tsx';

/** Asks for a key when there is none; else shows phone and business side by side. */
export function App() {
  const config = useWebConfig();
  const queryClient = useQueryClient();
  const [apiKey, setApiKey] = useState(takeAccessKey);
  const leave = (): void => {
    forgetAccessKey();
    queryClient.removeQueries({ queryKey: ['business'] });
    setApiKey(null);
  };
  if (config.data === undefined) {
    return (
      <main className="p-8">
        <h1 className="text-xl font-bold">Askfirst</h1>
        <p role="status" className="text-muted">
          {config.failureCount > 0
            ? 'The server does not answer. Start it with npm start; this page goes on by itself.'
            : 'Loading…'}
        </p>
      </main>
    );
  }
  const { simulatorUrl, version } = config.data;
  if (apiKey === null) {
    return (
      <>
        <TopBar simulated={simulatorUrl !== null} version={version} />
        <KeyForm
          onKey={(key) => {
            keepAccessKey(key);
            setApiKey(key);
          }}
        />
      </>
    );
  }
  return (
    <SimulatorProvider url={simulatorUrl}>
      <BusinessProvider apiKey={apiKey}>
        <TopBar
          simulated={simulatorUrl !== null}
          version={version}
          status={<StopAll />}
          onLeave={leave}
        />
        <Workspace onLeave={leave} />
      </BusinessProvider>
    </SimulatorProvider>
  );
}
