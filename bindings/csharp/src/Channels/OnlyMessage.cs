namespace Mmf.Channels;

/// <summary>The message of a handle that has one at a time: which one may still be released.</summary>
internal unsafe struct OnlyMessage
{
    private ulong sequence;
    private bool isTaken;

    internal int Note(int rc, Native.Message* message)
    {
        if (rc == Native.Ok)
        {
            sequence = message->Sequence;
            isTaken = true;
        }
        return rc;
    }

    /// <summary>False: it was released before.</summary>
    internal bool End(Native.Message* message)
    {
        bool mine = isTaken && message->Sequence == sequence;

        isTaken &= !mine;
        return mine;
    }
}
