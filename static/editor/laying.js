// The arithmetic of a result that was computed on a smaller picture and is laid over the larger one: only where the
// small picture was changed, and every other pixel stays as it is. Pixels are RGBA bytes, row by row; nothing here
// knows of a page, so it runs in a worker as well as in Node.

// Where two small pictures differ, and one pixel around: bytes of 0 and 1.
export function holeOf(before, after, width, height) {
  const hole = new Uint8Array(width * height);
  const [one, other] = [before, after].map((data) => new Uint32Array(data.buffer, data.byteOffset, width * height));
  for (let y = 0; y < height; y++)
    for (let x = 0; x < width; x++) {
      if (one[y * width + x] === other[y * width + x]) continue;
      for (let row = Math.max(0, y - 1); row <= Math.min(height - 1, y + 1); row++)
        hole.fill(1, row * width + Math.max(0, x - 1), row * width + Math.min(width - 1, x + 1) + 1);
    }
  return hole;
}

// Lays `small` {data, hole, width, height} over `rows` {data, top, count} of a picture of `full` {width, height}.
// Inside of the hole the small picture counts in full; over the outer half of its last small pixel it fades to nothing.
export function lay(rows, full, small) {
  const across = taps(0, full.width, full.width, small.width);
  const down = taps(rows.top, rows.count, full.height, small.height);
  for (let y = 0; y < rows.count; y++) {
    const [above, below] = [down.nearest[2 * y], down.nearest[2 * y + 1]];
    if (!hasHole(small, above) && !hasHole(small, below)) continue;
    for (let x = 0; x < full.width; x++) {
      const weight = weightAt(small, across, x, above, below, down.part[y]);
      if (weight > 0) blend(rows.data, 4 * (y * full.width + x), small, across, x, down, y, weight);
    }
  }
}

const hasHole = ({ hole, width }, row) => hole.subarray(row * width, (row + 1) * width).includes(1);

// 1 up to the middle of the hole's last pixels, 0 from its edge on: linear between pixels' middles, twice as steep.
function weightAt({ hole, width }, across, x, above, below, downPart) {
  const [left, right, part] = [across.nearest[2 * x], across.nearest[2 * x + 1], across.part[x]];
  const upper = hole[above * width + left] * (1 - part) + hole[above * width + right] * part;
  const lower = hole[below * width + left] * (1 - part) + hole[below * width + right] * part;
  return Math.min(1, Math.max(0, 2 * (upper * (1 - downPart) + lower * downPart) - 1));
}

// Catmull-Rom, over four by four pixels.
function blend(data, at, small, across, x, down, y, weight) {
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    for (let j = 0; j < 4; j++) {
      const row = down.index[4 * y + j] * small.width;
      let line = 0;
      for (let i = 0; i < 4; i++) line += across.weight[4 * x + i] * small.data[4 * (row + across.index[4 * x + i]) + channel];
      sum += down.weight[4 * y + j] * line;
    }
    const value = Math.min(255, Math.max(0, sum));
    data[at + channel] = Math.round(data[at + channel] + weight * (value - data[at + channel]));
  }
}

// Of `count` pixels from `from` on a side of `full`: which of a side of `small` they lie between, and with what weights.
function taps(from, count, full, small) {
  const side = {
    ...{ index: new Uint16Array(4 * count), weight: new Float32Array(4 * count) },
    ...{ nearest: new Uint16Array(2 * count), part: new Float32Array(count) },
  };
  const within = (value) => Math.min(small - 1, Math.max(0, value));
  for (let n = 0; n < count; n++) {
    const place = ((from + n + 0.5) * small) / full - 0.5;
    const first = Math.floor(place);
    const t = place - first;
    side.part[n] = t;
    side.nearest.set([within(first), within(first + 1)], 2 * n);
    side.index.set([-1, 0, 1, 2].map((step) => within(first + step)), 4 * n);
    const [before, here, next, last] = [((2 - t) * t - 1) * t, (3 * t - 5) * t * t + 2, ((4 - 3 * t) * t + 1) * t, (t - 1) * t * t];
    side.weight.set([before / 2, here / 2, next / 2, last / 2], 4 * n);
  }
  return side;
}
