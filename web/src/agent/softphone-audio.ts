import { systemClock } from '../../../src/platform/clock.ts';
import { openMicrophone, type MicrophoneProblem } from '../phone/microphone.ts';
import { levelOf, play, type LevelReader } from '../phone/phone-audio.ts';

/** The sound of one answered call: microphone out, loudspeaker in. */
export type SoftphoneAudio = {
  microphoneProblem: MicrophoneProblem | null;
  heard: LevelReader;
  spoken: LevelReader;
  setMuted(muted: boolean): void;
  /** Sends a key as the phone network does (RFC 4733). */
  sendKey(key: string): void;
  close(): void;
};

const KEY_MS = 120;
/** The server gives up after 4 seconds; what is not there a moment later never comes. */
const CONNECT_MS = 6_000;

/**
 * Answers the server's offer. No candidates are waited for: the server names its address, and the
 * browser comes to it, whatever its own address is.
 *
 * @param send hands the SDP answer over; what it throws is thrown on
 * @param onLost the network between browser and server is gone, or never was
 */
export async function answerOffer(
  offer: string,
  send: (sdp: string) => Promise<unknown>,
  onLost: () => void,
): Promise<SoftphoneAudio> {
  const context = new AudioContext();
  const connection = new RTCPeerConnection();
  const microphone = await openMicrophone(context);
  const speaker = new Audio();
  const connecting = systemClock.after(CONNECT_MS, () => {
    if (connection.connectionState !== 'connected') onLost();
  });
  const close = (): void => {
    connecting.cancel();
    speaker.srcObject = null;
    connection.close();
    microphone.close();
    if (context.state !== 'closed') void context.close();
  };
  try {
    void context.resume();
    for (const track of microphone.stream.getTracks()) {
      connection.addTrack(track, microphone.stream);
    }
    const heard = new MediaStream();
    connection.addEventListener('track', ({ track }) => heard.addTrack(track));
    connection.addEventListener('connectionstatechange', () => {
      if (connection.connectionState === 'failed') onLost();
    });
    await connection.setRemoteDescription({ type: 'offer', sdp: offer });
    await connection.setLocalDescription(await connection.createAnswer());
    play(speaker, heard);
    await send(connection.localDescription?.sdp ?? '');
    return {
      microphoneProblem: microphone.problem,
      heard: levelOf(context, heard),
      spoken: levelOf(context, microphone.stream),
      setMuted(muted) {
        for (const track of microphone.stream.getAudioTracks()) track.enabled = !muted;
      },
      sendKey: (key) => connection.getSenders()[0]?.dtmf?.insertDTMF(key, KEY_MS),
      close,
    };
  } catch (error) {
    close();
    throw error;
  }
}
