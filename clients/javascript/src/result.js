import { EXTENSIONS, pathOf, write } from './saving.js';

/** A cleaned picture; index.d.ts says what its members mean. */
export class Result {
  /** Throws TypeError where the answer is none of the service's. */
  constructor(answer) {
    const { bytes, headers } = answer;
    const [width, height] = header(headers, 'X-Image-Size').split('x').map(number);
    const confidence = headers.get('X-Mask-Confidence');
    this.content = bytes;
    this.contentType = pictureType(answer);
    this.width = width;
    this.height = height;
    this.maskSource = header(headers, 'X-Mask-Source');
    this.pixels = number(header(headers, 'X-Mask-Pixels'));
    this.coverage = number(header(headers, 'X-Mask-Coverage'));
    this.confidence = confidence === null ? null : number(confidence);
    this.processingTime = number(header(headers, 'X-Processing-Time'));
    this.charged = number(headers.get('X-Credits-Charged') ?? '0');
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

/** Of an answer. Throws TypeError where it is no picture. */
export function pictureType({ headers }) {
  const type = header(headers, 'Content-Type').split(';')[0].trim();
  if (!Object.hasOwn(EXTENSIONS, type)) throw new TypeError(`${type} is no picture`);
  return type;
}

function number(text) {
  const value = Number(text);
  if (text === '' || !Number.isFinite(value)) throw new TypeError(`${text} is no number`);
  return value;
}

function header(headers, name) {
  const value = headers.get(name);
  if (value === null) throw new TypeError(`no header ${name}`);
  return value;
}
