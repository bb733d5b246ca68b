#include "ops/epilogue.h"

namespace hb {

Epilogue epilogue_of(const Emit& e, int operands) {
    static const char nowhere = 0;
    const auto take = [&] {
        const void* data = e.in(operands++);
        return data ? data : &nowhere;
    };
    Epilogue epilogue;
    epilogue.relu = e.attrs.s("activation", "none") == "relu";
    if (!e.attrs.has(kEpilogue)) {
        if (e.num_in() > operands) epilogue.bias = take();
        return epilogue;
    }
    for (int64_t part : e.attrs.ints(kEpilogue)) switch (EpiloguePart(part)) {
            case EpiloguePart::bias:
                epilogue.bias = take();
                break;
            case EpiloguePart::scale:
                epilogue.scale = take();
                break;
            case EpiloguePart::shift:
                epilogue.shift = take();
                break;
            case EpiloguePart::other:
                epilogue.other = take();
                break;
            case EpiloguePart::relu:
                epilogue.relu = true;
                break;
        }
    return epilogue;
}

void check_no_epilogue(const InferCtx& c) {
    for (const char* name : {kEpilogue, kStatistics})
        if (c.attrs.has(name))
            fail_value("{}: the attribute '{}' is set by the compiler alone.", c.name, name);
}

}  // namespace hb
