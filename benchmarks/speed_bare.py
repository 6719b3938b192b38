"""The least that embeds one question: what a cold ``askmd search`` is held against.

Its arguments: MODEL.onnx TOKENIZER.json QUESTION
"""

import sys

import numpy as np
import onnxruntime
import tokenizers


def main() -> None:
    model, tokenizer_file, question = sys.argv[1:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    # The file was optimised when it was made, and is opened as askmd opens it.
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    ids = tokenizers.Tokenizer.from_file(tokenizer_file).encode(question).ids
    vector = session.run(None, {"input_ids": np.array([ids], dtype=np.int64)})[0][0]
    print(float(vector @ vector))


if __name__ == "__main__":
    main()
