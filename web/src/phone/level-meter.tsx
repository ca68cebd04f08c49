import { useEffect, useRef } from 'react';
import { systemClock, type TimerHandle } from '../../../src/platform/clock.ts';
import type { LevelReader } from './phone-audio.ts';

const EVERY_MS = 100;
const QUIETEST_DB = -54;

/**
 * A bar for the level of one direction. It is drawn past React ten times a second; the loudest
 * and the present root mean square stand in data attributes, where a browser test reads them.
 */
export function LevelMeter(props: { label: string; read: LevelReader | null }) {
  const bar = useRef<SVGRectElement>(null);
  const meter = useRef<HTMLDivElement>(null);
  const { read } = props;

  useEffect(() => {
    let timer: TimerHandle;
    let peak = 0;
    const draw = (): void => {
      const level = read?.() ?? 0;
      peak = Math.max(peak, level);
      const percent = Math.round(shareOfBar(level) * 100);
      bar.current?.setAttribute('width', String(percent));
      meter.current?.setAttribute('aria-valuenow', String(percent));
      meter.current?.setAttribute('data-rms', level.toFixed(5));
      meter.current?.setAttribute('data-rms-peak', peak.toFixed(5));
      timer = systemClock.after(EVERY_MS, draw);
    };
    draw();
    return () => timer.cancel();
  }, [read]);

  return (
    <div className="flex items-center gap-2 text-xs">
      <span className="w-16 text-right text-white/85">{props.label}</span>
      <div
        ref={meter}
        role="meter"
        aria-label={`Level: ${props.label}`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={0}
        className="flex-1"
      >
        <svg viewBox="0 0 100 6" preserveAspectRatio="none" className="h-1.5 w-full rounded-full">
          <rect width="100" height="6" className="fill-white/20" />
          <rect ref={bar} width="0" height="6" className="fill-emerald-300" />
        </svg>
      </div>
    </div>
  );
}

/** Loudness is heard by ratios, so the bar is linear in decibels: 0 at −54 dB, 1 at full scale. */
function shareOfBar(rms: number): number {
  if (rms <= 0) return 0;
  return Math.min(1, Math.max(0, 1 - (20 * Math.log10(rms)) / QUIETEST_DB));
}
