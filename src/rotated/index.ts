export {
  type AngleConvention,
  type AngleFormat,
  convertRotatedBoxes,
  pointsInRotatedBoxes,
  type RotatedBoxes,
  rotatedCorners,
} from './angles.ts';
export {
  type GaussianOptions,
  kalmanOverlap,
  kullbackLeiblerOverlap,
  wassersteinOverlap,
} from './gaussian.ts';
