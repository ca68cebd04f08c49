import { useState } from 'react';
import type {
  PersonAction,
  SimLine,
  SimPermission,
  SimPerson,
} from '../../../simulator/control-types.ts';
import { Button } from '../ui/button.tsx';
import { dayAndTime } from '../ui/format.ts';
import { Icon } from '../ui/icon.tsx';
import { NamesForm } from './names-form.tsx';

type ChatHeaderProps = {
  person: SimPerson;
  line: SimLine | null;
  ring: { on: boolean; setOn: (on: boolean) => void };
  onAction: (action: PersonAction) => void;
};

/** The branded name on top of the chat, the ring switch, and the business's profile. */
export function ChatHeader(props: ChatHeaderProps) {
  const [profile, setProfile] = useState(false);
  const name = props.line?.businessName ?? 'The business';
  return (
    <div className="border-b border-edge bg-card">
      <div className="flex items-center gap-2.5 px-3 py-2">
        <span
          aria-hidden
          className="flex size-9 shrink-0 items-center justify-center rounded-full bg-accent font-bold text-on-accent"
        >
          {name.charAt(0)}
        </span>
        <div className="min-w-0 flex-1">
          <p className="truncate text-sm font-bold">{name}</p>
          <p className="truncate text-xs text-muted">
            {props.line?.displayNumber ?? 'Business account'}
          </p>
        </div>
        <HeaderButton
          icon={props.ring.on ? 'bell' : 'bellOff'}
          label="Ring sound"
          pressed={props.ring.on}
          onClick={() => props.ring.setOn(!props.ring.on)}
        />
        <HeaderButton
          icon="info"
          label="Business profile"
          pressed={profile}
          onClick={() => setProfile(!profile)}
        />
      </div>
      {profile && <Profile {...props} />}
    </div>
  );
}

function HeaderButton(props: {
  icon: 'bell' | 'bellOff' | 'info';
  label: string;
  pressed: boolean;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-label={props.label}
      aria-pressed={props.pressed}
      title={props.label}
      onClick={props.onClick}
      className="flex size-8 items-center justify-center rounded-full text-muted hover:bg-sunk"
    >
      <Icon name={props.icon} />
    </button>
  );
}

/** The same switch as in WhatsApp's business profile: allow always, or take it back. */
function Profile(props: ChatHeaderProps) {
  const permission = props.person.permissions.find(
    (one) => props.line === null || one.phoneNumberId === props.line.phoneNumberId,
  );
  const target = props.line === null ? {} : { phoneNumberId: props.line.phoneNumberId };
  const allowed = permission !== undefined && permission.status !== 'no_permission';
  return (
    <div className="flex flex-col gap-2 bg-sunk px-3 py-2.5 text-sm">
      <p>{permissionText(permission)}</p>
      <div className="flex flex-wrap gap-2">
        {permission?.status !== 'permanent' && (
          <Button onClick={() => props.onAction({ action: 'allow_in_profile', ...target })}>
            Always allow calls
          </Button>
        )}
        {allowed && (
          <Button look="danger" onClick={() => props.onAction({ action: 'revoke', ...target })}>
            Stop allowing calls
          </Button>
        )}
      </div>
      <NamesForm person={props.person} onAction={props.onAction} />
    </div>
  );
}

function permissionText(permission: SimPermission | undefined): string {
  switch (permission?.status) {
    case 'permanent':
      return 'This business may call you at any time.';
    case 'temporary':
      return permission.expiresAt === null
        ? 'This business may call you for now.'
        : `This business may call you until ${dayAndTime(permission.expiresAt)}.`;
    default:
      return 'This business may not call you.';
  }
}
