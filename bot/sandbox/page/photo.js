// A sample picture to send: a drawing of a door speaker.

const WIDTH = 960, HEIGHT = 720;

/** A JPEG. */
export function samplePhoto() {
  const canvas = Object.assign(document.createElement("canvas"), { width: WIDTH, height: HEIGHT });
  draw(canvas.getContext("2d"));
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.85));
}

function draw(paper) {
  paper.fillStyle = shade(paper, 0, 0, WIDTH, HEIGHT, "#4a4642", "#23211f");
  paper.fillRect(0, 0, WIDTH, HEIGHT);
  panel(paper, 110, "#5d564f");
  panel(paper, 210, "#3a3632");
  paper.fillStyle = "#8d8479";
  paper.beginPath();
  paper.roundRect(640, 70, 210, 54, 27);
  paper.fill();
  for (const [radius, from, to] of [[246, "#15161a", "#3d3f47"], [222, "#2c2e34", "#101115"], [150, "#3b3d45", "#1b1c21"], [62, "#6d7079", "#24262c"]]) {
    ring(paper, radius, from, to);
  }
  for (let turn = 0; turn < 4; turn += 1) {
    const angle = Math.PI / 4 + (turn * Math.PI) / 2;
    paper.fillStyle = "#c9cbd2";
    circle(paper, 430 + 234 * Math.cos(angle), 420 + 234 * Math.sin(angle), 8);
  }
}

function panel(paper, top, colour) {
  paper.fillStyle = colour;
  paper.beginPath();
  paper.moveTo(0, top + 60);
  paper.bezierCurveTo(260, top - 60, 640, top + 60, WIDTH, top - 40);
  paper.lineTo(WIDTH, HEIGHT);
  paper.lineTo(0, HEIGHT);
  paper.fill();
}

function ring(paper, radius, from, to) {
  paper.fillStyle = shade(paper, 430 - radius, 420 - radius, 430 + radius, 420 + radius, from, to);
  circle(paper, 430, 420, radius);
}

function circle(paper, x, y, radius) {
  paper.beginPath();
  paper.arc(x, y, radius, 0, 2 * Math.PI);
  paper.fill();
}

function shade(paper, x0, y0, x1, y1, from, to) {
  const colours = paper.createLinearGradient(x0, y0, x1, y1);
  colours.addColorStop(0, from);
  colours.addColorStop(1, to);
  return colours;
}
