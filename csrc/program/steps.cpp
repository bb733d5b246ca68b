// Many steps in one call: each takes its rows straight from the caller's arrays.
#include <chrono>

#include "program/program.h"

namespace hb {

namespace {
int64_t row_size(const TensorType& type) {
    return type.shape.empty() || type.shape[0] == 0 ? 0 : volume(type.shape) / type.shape[0];
}

void check_source(size_t k, const Tensor& source, const TensorType& type) {
    Shape row(source.shape().begin() + (source.ndim() ? 1 : 0), source.shape().end());
    Shape wanted(type.shape.begin() + (type.shape.empty() ? 0 : 1), type.shape.end());
    if (source.ndim() == 0 || type.shape.empty() || row != wanted)
        fail_value(
            "Program.run_steps: input {} takes rows of shape {}. Received: an array of shape {}.",
            k, wanted, source.shape());
}
}  // namespace

int64_t Program::run_steps(const Feed& feed, int64_t steps, const std::function<bool()>& keep_going,
                           std::vector<Tensor>* last) {
    using Clock = std::chrono::steady_clock;
    constexpr auto kAskEvery = std::chrono::milliseconds(50);
    if (feed.sources.size() != num_inputs())
        fail_value("Program.run_steps: takes {} arrays. Received: {}.", num_inputs(),
                   feed.sources.size());
    for (size_t k = 0; k < feed.sources.size(); ++k)
        check_source(k, feed.sources[k], input_type(k));
    const int64_t batch = num_inputs() ? input_type(0).shape[0] : 0;

    Lease lease(*this);
    Instance& instance = *lease;
    const auto collect = [&](int64_t step) {
        for (size_t k = 0; k < feed.collect.size(); ++k) {
            if (!feed.collect[k].defined()) continue;
            const size_t bytes = output_type(k).bytes();
            std::memcpy(feed.collect[k].as<char>() + size_t(step) * bytes +
                            size_t(feed.first) * size_t(row_size(output_type(k))) *
                                dtype_size(output_type(k).dtype),
                        instance.outputs[k], bytes);
        }
    };
    auto asked = Clock::now();
    const auto prepare = [&](int64_t step) {
        if (step > 0) collect(step - 1);
        if (keep_going && Clock::now() - asked > kAskEvery) {
            asked = Clock::now();
            if (!keep_going()) return false;
        }
        const int64_t first = feed.first + step * batch;
        load(instance, feed.sources, feed.rows, first);
        return true;
    };
    const int64_t done = execute(instance.job(), instance.threads, steps, prepare);
    if (done > 0 && done == steps) collect(done - 1);
    if (last && done > 0) *last = outputs_of(instance);
    return done;
}

}  // namespace hb
