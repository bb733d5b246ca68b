"""Recurrent layers: cells, the layers that apply them to sequences, and Bidirectional."""

from hornbeam.layers.recurrent.bidirectional import Bidirectional
from hornbeam.layers.recurrent.conv_lstm import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from hornbeam.layers.recurrent.gru import GRU, GRUCell
from hornbeam.layers.recurrent.lstm import LSTM, LSTMCell
from hornbeam.layers.recurrent.rnn import RNN
from hornbeam.layers.recurrent.simple_rnn import SimpleRNN, SimpleRNNCell
from hornbeam.layers.recurrent.stacked import StackedRNNCells

__all__ = [
    "Bidirectional",
    "ConvLSTM1D",
    "ConvLSTM2D",
    "ConvLSTM3D",
    "GRU",
    "GRUCell",
    "LSTM",
    "LSTMCell",
    "RNN",
    "SimpleRNN",
    "SimpleRNNCell",
    "StackedRNNCells",
]
