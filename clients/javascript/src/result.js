import { pathOf, write } from './saving.js';

/** A cleaned picture; index.d.ts says what its members mean. */
export class Result {
  /** Throws TypeError where the answer is none of the service's. */
  constructor({ bytes, headers }) {
    const [width, height] = header(headers, 'X-Image-Size').split('x').map(Number);
    const confidence = headers.get('X-Mask-Confidence');
    this.content = bytes;
    this.contentType = header(headers, 'Content-Type');
    this.width = width;
    this.height = height;
    this.maskSource = header(headers, 'X-Mask-Source');
    this.pixels = Number(header(headers, 'X-Mask-Pixels'));
    this.coverage = Number(header(headers, 'X-Mask-Coverage'));
    this.confidence = confidence === null ? null : Number(confidence);
    this.processingTime = Number(header(headers, 'X-Processing-Time'));
    this.charged = Number(headers.get('X-Credits-Charged') ?? 0);
    this.markRepair = headers.get('X-Mark-Repair');
    this.requestId = headers.get('X-Request-Id') ?? '';
  }

  get changed() {
    return this.pixels > 0;
  }

  blob() {
    return new Blob([this.content], { type: this.contentType });
  }

  /** Writes the file, whole or not at all. */
  async save(path) {
    await write(await pathOf(path), this.content);
  }
}

function header(headers, name) {
  const value = headers.get(name);
  if (value === null) throw new TypeError(`no header ${name}`);
  return value;
}
