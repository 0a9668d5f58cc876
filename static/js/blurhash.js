// Draws the few colours of a picture behind it until it has arrived (the BlurHash format).
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";
const number = (text) => [...text].reduce((value, letter) => value * 83 + ALPHABET.indexOf(letter), 0);
const toLinear = (value) => { const v = value / 255; return v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4; };
const toByte = (value) => {
  const v = Math.min(1, Math.max(0, value));
  return Math.round((v <= 0.0031308 ? v * 12.92 : 1.055 * v ** (1 / 2.4) - 0.055) * 255);
};
const signedSquare = (value) => Math.sign(value) * value * value;

function colours(hash) {
  const size = number(hash[0]);
  const columns = (size % 9) + 1;
  const rows = Math.floor(size / 9) + 1;
  const largest = (number(hash[1]) + 1) / 166;
  const first = number(hash.slice(2, 6));
  const list = [[toLinear(first >> 16), toLinear((first >> 8) & 255), toLinear(first & 255)]];
  for (let i = 1; i < columns * rows; i++) {
    const value = number(hash.slice(4 + i * 2, 6 + i * 2));
    const parts = [Math.floor(value / 361), Math.floor(value / 19) % 19, value % 19];
    list.push(parts.map((part) => signedSquare((part - 9) / 9) * largest));
  }
  return { columns, rows, list };
}

function draw(canvas) {
  const hash = canvas.dataset.blurhash;
  if (hash.length < 6) return;
  const { columns, rows, list } = colours(hash);
  const context = canvas.getContext("2d");
  const { width, height } = canvas;
  const image = context.createImageData(width, height);
  for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
    const sum = [0, 0, 0];
    for (let j = 0; j < rows; j++) for (let i = 0; i < columns; i++) {
      const basis = Math.cos((Math.PI * x * i) / width) * Math.cos((Math.PI * y * j) / height);
      list[i + j * columns].forEach((part, c) => { sum[c] += part * basis; });
    }
    const at = 4 * (x + y * width);
    sum.forEach((part, c) => { image.data[at + c] = toByte(part); });
    image.data[at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

function drawAll(root) {
  for (const canvas of root.querySelectorAll("canvas[data-blurhash]:not([data-drawn])")) {
    canvas.dataset.drawn = "";
    draw(canvas);
  }
}
drawAll(document);
document.addEventListener("htmx:afterSettle", (event) => drawAll(event.target));
