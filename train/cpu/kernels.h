// Element-wise work on one row, in the widest vectors of the machine it runs on (Highway chooses at
// run time). Rows are unaligned and of any length; sums are taken in an order that depends on the
// vector width alone. A row that holds NaN or infinity gives NaN.
#pragma once

namespace train::cpu {

// See Backend::rmsnorm_forward; returns rstd.
float rmsnorm_row(float* out, const float* x, const float* weight, int C, float epsilon);
// d_x += ..., d_weight += ...
void rmsnorm_backward_row(float* d_x, float* d_weight, const float* d_out, const float* x,
                          const float* weight, float rstd, int C);

void swiglu_row(float* out, const float* gate, const float* up, int F);
void swiglu_backward_row(float* d_gate, float* d_up, const float* d_out, const float* gate,
                         const float* up, int F);

// Turns `heads` heads of D values, one after the other; `direction` is 1, or -1 to turn back.
void rope_row(float* row, const float* cosine, const float* sine, int heads, int D,
              float direction);

// row = scale * softmax(row); returns the log of the sum of exponentials.  Pre: size > 0.
float softmax_row(float* row, int size, float scale);
// row = exp(row - shift): softmax again from its kept log of the sum.
void exp_row(float* row, float shift, int size);
// d_p = p * (d_p - dot) * scale: back through softmax, where dot = sum of p * d_p.
void softmax_backward_row(float* d_p, const float* p, float dot, float scale, int size);

float dot_row(const float* a, const float* b, int size);
// out += x
void add_row(float* out, const float* x, int size);

// One step of AdamW, its constants folded.
struct AdamwStep {
  float gradient_scale;  // From clipping.
  float beta1;
  float beta2;
  float one_less_beta1;
  float one_less_beta2;
  float epsilon;
  float rate;          // learning rate / (1 - beta1^t)
  float v_correction;  // 1 / sqrt(1 - beta2^t)
  float keep;          // 1 - learning rate * weight decay
};
// theta = keep * theta - rate * m / (v_correction * sqrt(v) + epsilon), after m and v took the
// gradient in. Every operation is rounded on its own: the same bits for every width of vector.
void adamw_run(float* theta, float* m, float* v, const float* gradient, int size,
               const AdamwStep& step);

}  // namespace train::cpu
