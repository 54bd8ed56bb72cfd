/** A list of numbers of the running tick that never shrinks its storage. */
export class Notes {
  readonly values: Int32Array;
  count = 0;
  constructor(capacity: number) {
    this.values = new Int32Array(capacity);
  }
  add(value: number): void {
    this.values[this.count++] = value;
  }
}
