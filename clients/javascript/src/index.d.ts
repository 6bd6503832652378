/**
 * A path (not in browsers); an address, which the service fetches; a Blob or File; bytes, so a Buffer too; a stream of bytes.
 */
export type Picture =
  | string
  | URL
  | Blob
  | ArrayBuffer
  | ArrayBufferView
  | ReadableStream<Uint8Array>
  | AsyncIterable<Uint8Array>;

export type Mode = 'auto' | 'repaint' | 'restore';

export interface CallOptions {
  /** Milliseconds for each try. */
  timeout?: number;
  /** When it is aborted, the call rejects with its reason. */
  signal?: AbortSignal;
}

export interface RemoveOptions extends CallOptions {
  /** White is what to remove. Without one the watermark is found. */
  mask?: Picture;
  /** Instead of a mask. */
  rectangles?: ReadonlyArray<Rectangle | readonly [x: number, y: number, width: number, height: number]>;
  /** Instead of a mask: the id of a saved mark. */
  mark?: string;
  /** 0 to 64: pixels by which the repainted area is widened. */
  grow?: number;
  mode?: Mode;
  /** png by default, or what the output's extension says. */
  format?: 'png' | 'jpeg' | 'webp' | 'avif' | 'auto';
  /** One of models(). */
  model?: string;
  /** Of models that invent (sd, sdxl): what is to be seen in the hole. */
  prompt?: string;
  /** What is not to be seen there. */
  negativePrompt?: string;
  /** 1 to 100. */
  steps?: number;
  /** 0 to 30: how strictly the prompt is followed. */
  guidance?: number;
  /** 0 to 2^32-1. */
  seed?: number;
  /** strip by default. */
  exif?: 'strip' | 'keep';
  /** A repeat with the same one is answered as the first time and charged once; a new one by default. */
  idempotencyKey?: string;
}

export interface BatchOptions extends RemoveOptions {
  /** Is given back. */
  metadata?: Record<string, unknown>;
  /** An https address that is told when the batch is over. */
  webhookUrl?: string;
  /** Do as many pictures as the quota has units for. */
  partial?: boolean;
  /**
   * Seconds for which the results are kept, from 60 to what the plan allows. 0: until each was downloaded, for ten
   * minutes at most.
   */
  expiresIn?: number;
}

export interface ProcessOptions extends BatchOptions {
  /** Is called with each batch once it was sent. */
  accepted?: (batch: Batch) => void;
}

export interface Progress {
  done: number;
  total: number;
  /** The picture that ended just now. */
  processed: Processed;
}

export interface ClientOptions {
  /** By default the environment's IOPAINT_API_KEY. */
  apiKey?: string;
  /** By default the environment's IOPAINT_BASE_URL, or the public service. */
  baseUrl?: string;
  /** Milliseconds for each try; 120,000 by default. */
  timeout?: number;
  /** Tries after the first; 2 by default. */
  maxRetries?: number;
  /** Your own, for proxies or certificates. */
  fetch?: (url: string, options: RequestInit) => Promise<Response>;
}

/**
 * A service and an account.
 *
 * Every method rejects with IOPaintError, or with the signal's reason. Those that read or write files reject with the
 * file system's error before anything is charged.
 */
export class IOPaintClient {
  /** Throws TypeError or RangeError for options that cannot be. */
  constructor(options?: ClientOptions);

  /** Removes what is white in the mask; without one, the watermark that is found. */
  removeWatermark(image: Picture, options?: RemoveOptions): Promise<Result>;
  /** Writes the result to a file as well. */
  removeWatermark(image: Picture, output: string | URL, options?: RemoveOptions): Promise<Result>;

  /** Where a watermark is. marked: there is one, show the likeliest. proposals: show what is not sure, too. */
  detect(image: Picture, options?: CallOptions & { mode?: Mode; marked?: boolean; proposals?: boolean }): Promise<Detection>;
  /** A PNG, white where the watermark is: to be edited and sent back as `mask`. */
  detectMask(image: Picture, options?: CallOptions & { mode?: Mode; marked?: boolean }): Promise<Uint8Array>;

  /**
   * Sends many pictures as batches and waits for them: what became of each, in the order of `images`.
   * A picture that fails has an `error` and stops no other. outputDir: a folder, made if it is not there.
   */
  batchProcess(
    images: readonly Picture[],
    options?: ProcessOptions & { onProgress?: (progress: Progress) => void },
  ): Promise<Processed[]>;
  batchProcess(
    images: readonly Picture[],
    outputDir: string | URL,
    options?: ProcessOptions & { onProgress?: (progress: Progress) => void },
  ): Promise<Processed[]>;

  /** As batchProcess, each as soon as it is done. */
  batchStream(images: readonly Picture[], options?: ProcessOptions): AsyncGenerator<Processed, void, undefined>;
  batchStream(
    images: readonly Picture[],
    outputDir: string | URL,
    options?: ProcessOptions,
  ): AsyncGenerator<Processed, void, undefined>;

  /** Sends one batch and does not wait. */
  createBatch(images: readonly Picture[], options?: BatchOptions): Promise<Batch>;
  /** Its pictures as they end, until the batch is over. */
  followBatch(id: string, options?: CallOptions): AsyncGenerator<Item, Batch, undefined>;
  batch(id: string, options?: CallOptions): Promise<Batch>;
  /** The newest ones; limit: 50 by default, at most 200. */
  batches(options?: CallOptions & { limit?: number }): Promise<Batch[]>;
  batchItems(id: string, options?: CallOptions): Promise<Item[]>;
  /** Cancels what has not ended, at no charge, and deletes all files of the batch. */
  cancelBatch(id: string, options?: CallOptions): Promise<Batch>;
  /** Queues again what failed. */
  retryBatch(id: string, options?: CallOptions & { partial?: boolean }): Promise<Batch>;
  /** The file of a picture that succeeded. Rejects with TypeError if it has none. */
  download(item: Item, options?: CallOptions): Promise<Uint8Array>;

  /** Keeps a logo (a picture with alpha) or a mask; its id is the `mark` of later calls. Costs no quota. */
  createMark(image: Picture, name: string, options?: MarkOptions): Promise<SavedMark>;
  /** The account's saved marks, newest first, at most 200. */
  marks(options?: CallOptions): Promise<SavedMark[]>;
  /** Batches that were sent with it go on. */
  deleteMark(id: string, options?: CallOptions): Promise<void>;

  stats(options?: CallOptions): Promise<Stats>;
  /** Needs no key. What is unhealthy is told, not thrown. */
  health(options?: CallOptions): Promise<Health>;
  /** Needs no key. */
  models(options?: CallOptions): Promise<Model[]>;
}

/** A cleaned picture. */
export class Result {
  private constructor();
  readonly content: Uint8Array;
  readonly contentType: string;
  /** Of the upright picture. */
  readonly width: number;
  readonly height: number;
  readonly maskSource: 'provided' | 'rectangles' | 'saved' | 'detected' | 'none';
  /** How many were worked on; 0: the picture is unchanged. */
  readonly pixels: number;
  /** Their share, 0 to 1. */
  readonly coverage: number;
  /** 0 to 1, where the mask was detected. */
  readonly confidence: number | null;
  /** Seconds. */
  readonly processingTime: number;
  /** Units of quota. */
  readonly charged: number;
  readonly requestId: string;
  /** Of a saved logo: restored (computed away) or repainted (it did not fit). */
  readonly markRepair: 'restored' | 'repainted' | null;
  readonly changed: boolean;
  blob(): Blob;
  /** Writes the file, whole or not at all. */
  save(path: string | URL): Promise<void>;
}

/** What became of one of many pictures. */
export interface Processed {
  index: number;
  name: string;
  ok: boolean;
  /** The share that was worked on, 0 to 1; 0: nothing was found, nothing was charged. */
  coverage: number;
  /** The result, or `path` where it was written; neither where there is an error. */
  content?: Uint8Array;
  path?: string;
  error?: IOPaintError;
}

/** Pixels of the upright picture. */
export interface Rectangle {
  x: number;
  y: number;
  width: number;
  height: number;
}

export interface Box extends Rectangle {
  /** Of all boxes with this score, that share (0 to 1) holds a mark. */
  score: number;
}

export interface Detection {
  found: boolean;
  /** The watermark's share of the picture, 0 to 1. */
  coverage: number;
  boxes: Box[];
  /** What is not sure enough, where it was asked for. */
  proposals?: Box[];
}

/** In pictures. */
export interface Quota {
  /** null where the plan is unlimited. */
  limit: number | null;
  used: number;
  remaining: number | null;
  period: 'day' | 'month';
  resets_at: string;
}

/** The account's requests over all keys and all time; times in seconds. */
export interface Stats {
  total: number;
  success: number;
  failed: number;
  total_processing_time: number;
  avg_processing_time: number;
  plan: string;
  quota: Quota;
}

export interface Health {
  status: 'healthy' | 'unhealthy';
  /** The one that answers. */
  model: string;
  device: string;
  gpu_available: boolean;
  weights: string | null;
  precision: string;
  version: string;
  /** What is wrong. */
  detail?: string;
}

export interface Model {
  name: string;
  description: string;
  licence: string;
  weights: string | null;
  /** Of quota that a picture costs; null: the model is not on the plan. */
  units: number | null;
  available: boolean;
  default: boolean;
}

/** Where pictures have a saved mark, and what is known of it. */
export interface MarkOptions extends CallOptions {
  /** logo by default. */
  kind?: 'logo' | 'mask';
  /** top-left, top-centre, … bottom-right, centre, or whole (a mask's default; a logo's is bottom-right). */
  anchor?: string;
  /** picture, the default: it grows with the picture. */
  scaling?: 'picture' | 'pixels';
  /** Of a logo, 0.01 to 1. */
  opacity?: number;
  /** Where the logo is, in pixels of a picture of pictureWidth and pictureHeight; all four or none. */
  x?: number;
  y?: number;
  pictureWidth?: number;
  pictureHeight?: number;
}

export interface SavedMark {
  id: string;
  name: string;
  kind: 'logo' | 'mask';
  anchor: string;
  scaling: 'picture' | 'pixels';
  width: number;
  height: number;
  picture_width: number | null;
  picture_height: number | null;
  opacity: number | null;
  bytes: number;
  created_at: string;
}

export interface Batch {
  id: string;
  /** succeeded: over, at least one picture succeeded; failed: over, none did. */
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  total: number;
  queued: number;
  running: number;
  succeeded: number;
  failed: number;
  cancelled: number;
  created_at: string;
  started_at: string | null;
  finished_at: string | null;
  expires_at: string;
  metadata: Record<string, unknown>;
}

export function isOver(batch: Batch): boolean;

/** A batch's picture. */
export interface Item {
  batch: string;
  index: number;
  name: string;
  status: 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled';
  /** In the account's line while it is queued; 1 is next. */
  position: number | null;
  error: { code: string; detail: string } | null;
  result: ItemResult | null;
}

export interface ItemResult {
  /** Needs no key and cannot be guessed. */
  url: string;
  width: number;
  height: number;
  /** 0 to 1; 0: nothing was found, and nothing charged. */
  coverage: number;
  seconds: number;
  expires_at: string;
}

/** Base of all errors of the service and of the way to it. */
export class IOPaintError extends Error {
  readonly detail: string;
  /** Stable snake_case, such as "invalid_image"; see the list in the service's docs/api.md. */
  readonly code: string;
  /** undefined where no answer came. */
  readonly statusCode: number | undefined;
  readonly requestId: string | undefined;
  /** Seconds after which the service would have it tried again, if it said so. */
  readonly retryAfter: number | undefined;
}
/** No answer came: no such host, nobody listens, the connection broke. */
export class ConnectionFailed extends IOPaintError {}
/** No answer came in time. */
export class TimedOut extends ConnectionFailed {}
/** The answer is none of the service's: of a proxy, or of another server at this address. */
export class UnexpectedAnswer extends IOPaintError {}
/** There is no API key, or it is wrong, expired or revoked. */
export class AuthenticationFailed extends IOPaintError {}
/** The request cannot be done as it is. Base of all that is wrong with what was sent. */
export class InvalidRequest extends IOPaintError {}
/** The file is no picture, is damaged or animated. */
export class InvalidImage extends InvalidRequest {}
/** The file has too many bytes, or the picture too many pixels. */
export class ImageTooLarge extends InvalidRequest {}
/** The mask cannot be read, is too large, or marks nothing, everything, or too faintly. */
export class InvalidMask extends InvalidRequest {}
/** More pictures than the plan lets into one batch. */
export class BatchTooLarge extends InvalidRequest {}
/** Too few pictures for a mark that they share: send them without `shared_mark`. */
export class BatchTooSmall extends InvalidRequest {}
/** More bytes than a request may have. */
export class BodyTooLarge extends InvalidRequest {}
/** The idempotency key was sent before with other fields. */
export class ModelNotInPlan extends IOPaintError {}
export class IdempotencyKeyReused extends InvalidRequest {}
/** There is no such batch or result, or it has expired. */
export class NotFound extends IOPaintError {}
/** The first request with this idempotency key may still run. */
export class IdempotencyInProgress extends IOPaintError {}
/** Too many requests in too short a time. */
export class RateLimited extends IOPaintError {}
/** The plan's pictures of this day or month are used up. */
export class QuotaExceeded extends IOPaintError {}
/** Something failed on the service's side. Nothing was charged. */
export class ServerError extends IOPaintError {}
/** The service has no room for the request just now. */
export class Busy extends ServerError {}
/** The service cannot reach its engine, database, storage or cache. */
export class Unavailable extends ServerError {}

export namespace webhooks {
  type Headers =
    | Readonly<Record<string, string | readonly string[] | undefined>>
    | { entries(): Iterable<[string, string]> };

  /** id: the same in each attempt and replay: remember it, and handle none twice. data: as polling shows it. */
  interface Event {
    id: string;
    type: string;
    timestamp: Date;
    data: Record<string, any>;
  }

  /**
   * The event in a request, when its signature is right and its age below five minutes.
   * secret: whsec_…, as it was shown. body: as it came, before it is parsed. Rejects with InvalidSignature.
   */
  function verify(secret: string, headers: Headers, body: string | ArrayBuffer | ArrayBufferView): Promise<Event>;

  class InvalidSignature extends Error {}
}
