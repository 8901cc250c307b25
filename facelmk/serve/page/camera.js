// The camera: one picture after the other goes to the server, the next one when the last one is answered.

const LEAST_MS = 100; // between two pictures
const PAUSE_MS = 1000; // after the server was busy
const SIDE = 640; // longest side of a picture that is sent
const BUSY = new Set([429, 503]);
const REASONS = {
  NotAllowedError: 'The browser did not allow this page to use the camera. Allow it beside the address of the page.',
  NotFoundError: 'There is no camera.',
  NotReadableError: 'The camera cannot be used now. Perhaps another program uses it.',
};

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

export class Camera {
  /** `send(blob)` returns the answer of the server; `show(frame, answer)` draws it. */
  constructor(video, send, show) {
    Object.assign(this, { video, send, show, stream: null });
  }

  get isOpen() {
    return this.stream !== null;
  }

  async open() {
    if (!navigator.mediaDevices) {
      throw new Error('Browsers give the camera to pages of this machine (localhost) or of https only.');
    }
    try {
      const wanted = { width: { ideal: 1280 }, height: { ideal: 720 } };
      this.stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
    } catch (error) {
      throw new Error(REASONS[error.name] ?? `The camera cannot be opened: ${error.message}`);
    }
    this.video.srcObject = this.stream;
    await this.video.play();
  }

  close() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = this.video.srcObject = null;
  }

  /** Send pictures until `close`. An answer that says the server is busy is no end. */
  async run() {
    const stream = this.stream;
    while (this.stream === stream) {
      const start = performance.now();
      if (document.hidden) {
        await pause(PAUSE_MS);
        continue;
      }
      const frame = this.grab();
      const blob = await new Promise((resolve) => frame.toBlob(resolve, 'image/jpeg', 0.85));
      try {
        const answer = await this.send(blob);
        if (this.stream === stream) this.show(frame, answer, performance.now() - start);
      } catch (error) {
        if (this.stream !== stream) return; // the error is that of a camera that was stopped
        if (!BUSY.has(error.status)) throw error;
        await pause(PAUSE_MS);
      }
      await pause(LEAST_MS - (performance.now() - start));
    }
  }

  grab() {
    const { videoWidth, videoHeight } = this.video;
    const scale = Math.min(1, SIDE / Math.max(videoWidth, videoHeight));
    const frame = document.createElement('canvas');
    frame.width = Math.max(1, Math.round(videoWidth * scale));
    frame.height = Math.max(1, Math.round(videoHeight * scale));
    frame.getContext('2d').drawImage(this.video, 0, 0, frame.width, frame.height);
    return frame;
  }
}
