// Marks of one picture as another one has them, which may be of another size.

import { boundsOf, canvasOf, render } from "./marks.js";

// `from`: the document whose marks they are. `to`: {width, height}. `how`: "scale", or "pixels" from the nearest corner.
export function fitted(marks, from, to, how) {
  if (from.width === to.width && from.height === to.height) return marks;
  const [x, y, across, down] = how === "pixels" ? [...shift(marks, from, to), 1, 1] : [0, 0, to.width / from.width, to.height / from.height];
  return marks.map((mark) => moved(mark, from, [x, y, across, down]));
}

function moved(mark, { width, height }, [x, y, across, down]) {
  if (mark.tool === "mask") {
    const [left, top, wide, high] = mark.place ?? [0, 0, width, height];
    return { ...mark, place: [x + left * across, y + top * down, wide * across, high * down] };
  }
  const points = mark.points.map(([left, top]) => [x + left * across, y + top * down]);
  return { ...mark, points, size: mark.size && mark.size * Math.sqrt(across * down) };
}

// By how much what lies near a corner of one picture lies further right and down in the other.
function shift(marks, from, to) {
  const { left, top, right, bottom } = boundsOf(render(marks, canvasOf(from.width, from.height)));
  return [
    (left + right) / 2 > from.width / 2 ? to.width - from.width : 0,
    (top + bottom) / 2 > from.height / 2 ? to.height - from.height : 0,
  ];
}
