// Marks are strokes in the picture's pixels: {tool, size, points}, or {tool: "mask", canvas, place} of what was found or
// loaded; `place`, where the canvas is not of the picture's size: [x, y, width, height].
// A mask is a canvas, opaque where something is to go. Nothing here knows of the screen.

export function canvasOf(width, height) {
  return new OffscreenCanvas(width, height);
}

const pixelsOf = (canvas) => canvas.getContext("2d", { willReadFrequently: true });

export function draw(stroke, context) {
  context.globalCompositeOperation = stroke.tool === "eraser" ? "destination-out" : "source-over";
  context.fillStyle = context.strokeStyle = "#fff";
  if (stroke.tool === "mask") return context.drawImage(stroke.canvas, ...(stroke.place ?? [0, 0]));
  const [[x, y], ...others] = stroke.points;
  if (stroke.tool === "box") {
    const [right, bottom] = others.at(-1) ?? [x, y];
    return context.fillRect(x, y, right - x, bottom - y);
  }
  if (stroke.tool === "lasso") {
    context.beginPath();
    for (const point of stroke.points) context.lineTo(...point);
    return context.fill();
  }
  context.beginPath();
  context.arc(x, y, stroke.size / 2, 0, 2 * Math.PI);
  context.fill(); // a click's dot: browsers draw a line of no length or not
  context.lineCap = context.lineJoin = "round";
  context.lineWidth = stroke.size;
  context.beginPath();
  context.moveTo(x, y);
  for (const point of others) context.lineTo(...point);
  context.stroke();
}

export function render(marks, canvas) {
  const context = pixelsOf(canvas);
  context.globalCompositeOperation = "source-over";
  context.clearRect(0, 0, canvas.width, canvas.height);
  for (const mark of marks) draw(mark, context);
  return canvas;
}

// Whether a stroke has an area.
export function isSomething({ tool, points }) {
  const [[x, y], [right, bottom]] = [points[0], points.at(-1)];
  return tool === "box" ? right !== x && bottom !== y : tool !== "lasso" || points.length > 2;
}

export function isEmpty(canvas) {
  const { data } = pixelsOf(canvas).getImageData(0, 0, canvas.width, canvas.height);
  for (let i = 3; i < data.length; i += 4) if (data[i]) return false;
  return true;
}

// Of what is marked: the pixels from `left` to before `right`, from `top` to before `bottom`.
export function boundsOf(mask) {
  const { width, height } = mask;
  const { data } = pixelsOf(mask).getImageData(0, 0, width, height);
  const bounds = { left: width, top: height, right: 0, bottom: 0 };
  for (let pixel = 0; pixel < width * height; pixel++) {
    if (!data[4 * pixel + 3]) continue;
    const [x, y] = [pixel % width, Math.floor(pixel / width)];
    if (x < bounds.left) bounds.left = x;
    if (x >= bounds.right) bounds.right = x + 1;
    if (y < bounds.top) bounds.top = y;
    bounds.bottom = y + 1;
  }
  return bounds;
}

// White on black, as the API reads masks.
export function toFile(mask) {
  const { width, height } = mask;
  const canvas = canvasOf(width, height);
  const context = canvas.getContext("2d");
  context.fillStyle = "black";
  context.fillRect(0, 0, width, height);
  context.drawImage(mask, 0, 0);
  return canvas.convertToBlob();
}

// A mask's file, of any size, as a mark: what is light and opaque is to go.
export async function fromFile(file, width, height) {
  const bitmap = await createImageBitmap(file).catch(() => null);
  if (!bitmap) throw new Error("This mask cannot be read. Save it as a PNG.");
  const canvas = canvasOf(width, height);
  pixelsOf(canvas).drawImage(bitmap, 0, 0, width, height);
  levelled(canvas, (level, alpha) => (level > 127 && alpha > 127 ? 255 : 0));
  if (isEmpty(canvas)) throw new Error("Nothing is white in this mask. White is what goes.");
  return { tool: "mask", canvas };
}

// Each pixel turns white, as opaque as `opacity` says of its level of grey (0 to 255) and its own alpha.
export function levelled(canvas, opacity) {
  const context = pixelsOf(canvas);
  const pixels = context.getImageData(0, 0, canvas.width, canvas.height);
  const { data } = pixels;
  for (let i = 0; i < data.length; i += 4) {
    data[i + 3] = opacity(data[i], data[i + 3]);
    data[i] = data[i + 1] = data[i + 2] = 255;
  }
  context.putImageData(pixels, 0, 0);
  return canvas;
}

// A mask wider by so many pixels, or narrower where they are negative: by the chamfer distance 3-4 to its edge.
export function grown(mask, by) {
  const { width, height } = mask;
  const { data } = pixelsOf(mask).getImageData(0, 0, width, height);
  const inside = by < 0;
  const far = distances(width, height, (i) => (data[4 * i + 3] > 127) !== inside);
  const pixels = new ImageData(width, height);
  const whole = new Uint32Array(pixels.data.buffer);
  for (let i = 0; i < far.length; i++) if (far[i] <= 3 * Math.abs(by) !== inside) whole[i] = 0xffffffff;
  const canvas = canvasOf(width, height);
  canvas.getContext("2d").putImageData(pixels, 0, 0);
  return canvas;
}

// Of each pixel to the nearest that `isZero`, in thirds of a pixel (Borgefors 1986).
function distances(width, height, isZero) {
  const far = new Uint16Array(width * height).fill(60000);
  for (let i = 0; i < far.length; i++) if (isZero(i)) far[i] = 0;
  const sweep = (from, to, step) => {
    for (let i = from; i !== to; i += step) {
      if (!far[i]) continue;
      const x = i % width;
      const [behind, ahead] = step > 0 ? [x > 0, x < width - 1] : [x < width - 1, x > 0];
      let least = far[i];
      if (behind) least = Math.min(least, far[i - step] + 3);
      const above = i - step * width;
      if (above >= 0 && above < far.length) {
        least = Math.min(least, far[above] + 3);
        if (behind) least = Math.min(least, far[above - step] + 4);
        if (ahead) least = Math.min(least, far[above + step] + 4);
      }
      far[i] = least;
    }
  };
  sweep(0, far.length, 1);
  sweep(far.length - 1, -1, -1);
  return far;
}
