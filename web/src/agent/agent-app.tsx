import { useEffect, useState } from 'react';
import { useWebConfig } from '../api/web-config.ts';
import { TopBar } from '../top-bar.tsx';
import { Button } from '../ui/button.tsx';
import { Card } from '../ui/card.tsx';
import { TextField } from '../ui/field.tsx';
import { AgentDesk } from './agent-desk.tsx';
import { forgetAgentToken, keepAgentToken, takeAgentToken } from './agent-token.ts';

/** The page `/agent`: calls are answered here, by whoever opened it with their own link. */
export function AgentApp() {
  const config = useWebConfig();
  const [token, setToken] = useState(takeAgentToken);
  useEffect(() => void (document.title = 'Answer calls · Askfirst'), []);
  const signOut = (): void => {
    forgetAgentToken();
    setToken(null);
  };
  return (
    <>
      {config.data !== undefined && (
        <TopBar simulated={config.data.simulatorUrl !== null} version={config.data.version} />
      )}
      <main className="mx-auto flex max-w-180 flex-col gap-4 px-4 pb-10">
        {token === null ? (
          <SignIn
            onToken={(given) => {
              keepAgentToken(given);
              setToken(given);
            }}
          />
        ) : (
          <AgentDesk key={token} token={token} onSignOut={signOut} />
        )}
      </main>
    </>
  );
}

/** For whoever opened the page without their link. */
function SignIn(props: { onToken: (token: string) => void }) {
  const [token, setToken] = useState('');
  return (
    <Card title="Sign in to answer calls">
      <form
        className="flex flex-col gap-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (token.trim() !== '') props.onToken(token.trim());
        }}
      >
        <TextField
          label="Your token"
          value={token}
          required
          type="password"
          autoComplete="off"
          spellCheck={false}
          hint="It begins with aft_. Whoever set you up has a link for you that carries it."
          onChange={setToken}
        />
        <div>
          <Button type="submit" look="primary" disabled={token.trim() === ''}>
            Sign in
          </Button>
        </div>
      </form>
    </Card>
  );
}
