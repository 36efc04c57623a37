/** The camera as a source of QR texts: about eight pictures a second, read by a worker. */
import type { Found } from './scan_worker';

export type CameraTrouble = 'insecure' | 'missing' | 'refused' | 'busy';

const PICTURE_EVERY_MS = 120;
/** Enough for a badge at arm's length; more only takes time. */
const WIDTH_MAX = 960;

/** Not in the types of every browser. */
type Torch = { torch?: boolean };

export class Camera {
  private readonly worker = new Worker(new URL('./scan_worker.ts', import.meta.url), { type: 'module' });
  private readonly canvas = document.createElement('canvas');
  private timer: ReturnType<typeof setTimeout> | undefined;
  private lit = false;

  private constructor(
    private readonly stream: MediaStream,
    private readonly video: HTMLVideoElement,
    private readonly onText: (text: string) => void,
  ) {
    this.worker.onmessage = ({ data }: MessageEvent<Found>) => {
      data.forEach(this.onText);
      this.again();
    };
    this.worker.onerror = () => this.again();
    this.again();
  }

  /**
   * Opens the camera at the back, where there is one, and shows it in `video`.
   *
   * @throws CameraTrouble in the form of `cameraTrouble(error)`
   */
  static async open(video: HTMLVideoElement, onText: (text: string) => void): Promise<Camera> {
    const devices: MediaDevices | undefined = navigator.mediaDevices;
    if (!devices) throw new DOMException('no camera without https', 'SecurityError');
    const stream = await devices.getUserMedia({
      audio: false,
      video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
    });
    video.srcObject = stream;
    await video.play();
    return new Camera(stream, video, onText);
  }

  get hasTorch(): boolean {
    const track = this.stream.getVideoTracks()[0];
    return track?.getCapabilities !== undefined && (track.getCapabilities() as Torch).torch === true;
  }

  async toggleTorch(): Promise<void> {
    this.lit = !this.lit;
    await this.stream.getVideoTracks()[0]?.applyConstraints({ advanced: [{ torch: this.lit } as MediaTrackConstraintSet] });
  }

  /** Calls back when the camera is taken away: unplugged, or by another program. */
  onEnd(run: () => void): void {
    this.stream.getVideoTracks()[0]?.addEventListener('ended', run);
  }

  close(): void {
    clearTimeout(this.timer);
    this.worker.terminate();
    for (const track of this.stream.getTracks()) track.stop();
    this.video.srcObject = null;
  }

  private again(): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.look(), PICTURE_EVERY_MS);
  }

  private look(): void {
    const { videoWidth, videoHeight } = this.video;
    const context = this.canvas.getContext('2d', { willReadFrequently: true });
    if (!videoWidth || !context || document.hidden) return this.again();
    const scale = Math.min(1, WIDTH_MAX / videoWidth);
    this.canvas.width = Math.round(videoWidth * scale);
    this.canvas.height = Math.round(videoHeight * scale);
    context.drawImage(this.video, 0, 0, this.canvas.width, this.canvas.height);
    const picture = context.getImageData(0, 0, this.canvas.width, this.canvas.height);
    this.worker.postMessage(picture, [picture.data.buffer]);
  }
}

/** What keeps the camera from opening. */
export function cameraTrouble(error: unknown): CameraTrouble {
  if (!isSecureContext) return 'insecure';
  switch (error instanceof DOMException ? error.name : '') {
    case 'NotAllowedError':
    case 'SecurityError':
      return 'refused';
    case 'NotFoundError':
    case 'OverconstrainedError':
      return 'missing';
    default:
      return 'busy';
  }
}
