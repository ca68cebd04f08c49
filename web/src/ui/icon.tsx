/** Line drawings on a 24 by 24 grid; always beside or inside something that has a name. */
const PATHS = {
  phone:
    'M6.5 3.5h3l1.5 4-2 1.5a11 11 0 0 0 5.5 5.5l1.5-2 4 1.5v3a2 2 0 0 1-2.2 2A16.5 16.5 0 0 1 4.5 5.7a2 2 0 0 1 2-2.2z',
  hangUp:
    'M3 14.5c5-5.3 13-5.3 18 0l-1.9 2.6a1 1 0 0 1-1.2.3l-3-1.3a1 1 0 0 1-.6-1l.2-2a9.5 9.5 0 0 0-5 0l.2 2a1 1 0 0 1-.6 1l-3 1.3a1 1 0 0 1-1.2-.3z',
  mic: 'M12 3a3 3 0 0 1 3 3v5a3 3 0 0 1-6 0V6a3 3 0 0 1 3-3zM5.5 11a6.5 6.5 0 0 0 13 0M12 17.5V21',
  micOff:
    'M9 9v2a3 3 0 0 0 5 2.2M15 10V6a3 3 0 0 0-5.7-1.3M5.5 11a6.5 6.5 0 0 0 11 4.7M12 17.5V21M4 3.5l16 17',
  pause: 'M8.5 5v14M15.5 5v14',
  play: 'M7 4.5v15l12-7.500z',
  transfer: 'M4 8h14l-4-4M20 16H6l4 4',
  keypad: 'M6 5h.01M12 5h.01M18 5h.01M6 11h.01M12 11h.01M18 11h.01M6 17h.01M12 17h.01M18 17h.01',
  chat: 'M4 7a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v6a3 3 0 0 1-3 3h-5l-5 4v-4a3 3 0 0 1-3-3z',
  send: 'M4 12l16-8-5.5 16-3.5-6.5z',
  info: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM12 11v5M12 8h.01',
  bell: 'M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4',
  bellOff: 'M6 16.5V11a6 6 0 0 1 1-3.3M9.5 5.600A6 6 0 0 1 18 11v3M4.5 18H16M10 20.5h4M4 3.5l16 17',
  stop: 'M8.5 3.5h7l5 5v7l-5 5h-7l-5-5v-7zM8.5 12h7',
} as const;

export type IconName = keyof typeof PATHS;

export function Icon(props: { name: IconName; size?: number }) {
  const size = props.size ?? 18;
  return (
    <svg
      aria-hidden="true"
      focusable="false"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      strokeWidth={props.name === 'keypad' ? 3 : 2}
      strokeLinecap="round"
      strokeLinejoin="round"
    >
      <path d={PATHS[props.name]} />
    </svg>
  );
}
