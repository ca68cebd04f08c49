import { useState } from 'react';
import { Button } from './ui/button.tsx';
import { Card } from './ui/card.tsx';
import { TextField } from './ui/field.tsx';

/** For whoever opened the page without the link that `npm start` prints. */
export function KeyForm(props: { onKey: (key: string) => void }) {
  const [key, setKey] = useState('');
  return (
    <main className="mx-auto max-w-130 p-4 sm:p-8">
      <Card title="Paste an API key">
        <form
          className="flex flex-col gap-3"
          onSubmit={(event) => {
            event.preventDefault();
            if (key.trim() !== '') props.onKey(key.trim());
          }}
        >
          <TextField
            label="API key"
            value={key}
            required
            autoComplete="off"
            spellCheck={false}
            hint="npm start prints one, and a link to this page that carries it. The key stays in this tab."
            onChange={setKey}
          />
          <div>
            <Button type="submit" look="primary" disabled={key.trim() === ''}>
              Open
            </Button>
          </div>
        </form>
      </Card>
    </main>
  );
}
