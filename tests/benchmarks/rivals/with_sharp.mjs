// sharp with its own defaults: one decoding, each size from the one before, WebP and JPEG of each written side by side.
import { createInterface } from "node:readline";
import sharp from "sharp";

const SIZES = [2048, 1280, 640, 320];

async function prepare(source, out) {
  let picture = sharp(source).autoOrient();
  let raw;
  for (const size of SIZES) {
    const fit = { width: size, height: size, fit: "inside", withoutEnlargement: true };
    const { data, info } = await picture.resize(fit).raw().toBuffer({ resolveWithObject: true });
    raw = { raw: { width: info.width, height: info.height, channels: info.channels } };
    await Promise.all([
      sharp(data, raw).webp({ quality: 80 }).toFile(`${out}/${size}w.webp`),
      sharp(data, raw).jpeg({ quality: 80 }).toFile(`${out}/${size}w.jpg`),
    ]);
    picture = sharp(data, raw);
  }
  await picture.resize({ width: 24, height: 24, fit: "inside" }).webp({ quality: 30 }).toFile(`${out}/placeholder.webp`);
}

const cpu = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
};

for await (const line of createInterface({ input: process.stdin })) {
  const job = JSON.parse(line);
  const began = performance.now();
  const before = cpu();
  await prepare(job.source, job.out);
  console.log(JSON.stringify({ wall: (performance.now() - began) / 1000, cpu: cpu() - before, child: 0 }));
}
