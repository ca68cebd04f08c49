import { useState } from 'react';
import { useRevoke } from '../api/business-hooks.ts';
import { CopyCurl } from './copy-curl.tsx';
import { Button } from '../ui/button.tsx';
import { TextField } from '../ui/field.tsx';
import { ProblemNote } from '../ui/problem-note.tsx';

/** One permission taken back for the customer, who may still be asked again. */
export function TakeBack(props: { permissionId: string }) {
  const [isOpen, setOpen] = useState(false);
  const [reason, setReason] = useState('');
  const revoke = useRevoke(props.permissionId);
  const body = { reason: reason.trim() };
  if (!isOpen) {
    return (
      <Button look="quiet" className="mt-1" onClick={() => setOpen(true)}>
        Take this permission back
      </Button>
    );
  }
  return (
    <form
      className="mt-2 flex flex-col gap-2 rounded-xl border border-edge p-3"
      onSubmit={(event) => {
        event.preventDefault();
        if (body.reason !== '') revoke.mutate(body);
      }}
    >
      <TextField
        label="Why it is taken back"
        value={reason}
        required
        maxLength={200}
        hint="Kept as evidence. A call that rings on it is called off; asking again stays possible"
        onChange={setReason}
      />
      <div className="flex flex-wrap items-start gap-2">
        <Button type="submit" look="danger" disabled={revoke.isPending}>
          Take it back
        </Button>
        <Button onClick={() => setOpen(false)}>Leave it</Button>
        <CopyCurl
          what="take a permission back"
          path={`/v1/permissions/${props.permissionId}/revoke`}
          body={body}
        />
      </div>
      {revoke.error !== null && <ProblemNote error={revoke.error} />}
    </form>
  );
}
